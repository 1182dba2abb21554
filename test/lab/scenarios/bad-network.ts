import { passThrough, type Stage } from '../../device/media/uplink-scenario.ts';
import { until } from '../../until.ts';
import { buildInCameras, paintCamera, takeOut } from '../inside/modules.ts';
import { smallPicture, streamingStation } from '../inside/station.ts';
import { openVenue } from '../inside/venue.ts';
import { watch } from '../inside/viewer.ts';
import type { Scenario } from '../scenario.ts';

const wantedKbps = 1500;
const bitrates = { ...smallPicture, AV_VIDEO_BITRATE: String(wantedKbps), AV_VIDEO_BITRATE_MIN: '200' };
const narrowKbps = 600;
const stages: readonly Stage[] = [
  { kind: 'rate', kbps: 3000, lengthS: 20 },
  { kind: 'rate', kbps: narrowKbps, lengthS: 20 },
  { kind: 'rate', kbps: 3000, lengthS: 20 },
];
const cutS = 20;
/** Far above what it takes. */
const boundMs = 60_000;

export const badNetwork: Scenario = {
  name: 'bad-network',
  title:
    'over a line with 200 ms of delay and 2 % of loss, which narrows and is cut besides, the bitrate gives way and the stream comes back',
  boundMs: 400_000,
  async run(laboratory) {
    const { check, figure, undoLater } = laboratory;
    await buildInCameras(1);
    undoLater(() => takeOut('vivid'));
    await paintCamera('/dev/video0', 'noise');
    const venue = await openVenue(laboratory);
    const station = await streamingStation(laboratory, bitrates, venue.place);
    const viewer = await watch(laboratory, station.address);
    const from = viewer.frames.length;
    const begin = performance.now();
    const bitrateKbps = () => station.lastHealth()?.adaptation?.bitrateKbps ?? wantedKbps;
    const [far, narrow, wide] = await passThrough(venue.line, stages, bitrateKbps);
    figure('far and lossy: bitrate at the end', far?.bitrateKbps.at(-1) ?? 0, 'kbit/s');
    figure(`narrowed to ${narrowKbps} kbit/s: bitrate at the end`, narrow?.bitrateKbps.at(-1) ?? 0, 'kbit/s');
    figure('wide again: bitrate at the end', wide?.bitrateKbps.at(-1) ?? 0, 'kbit/s');
    const framesPerSecond = (viewer.frames.length - from) / ((performance.now() - begin) / 1000);
    check(`the frame rate was kept: ${framesPerSecond.toFixed(1)}/s at the far side, of 15`, framesPerSecond > 13, framesPerSecond);
    check('the bitrate gave way', (narrow?.bitrateKbps.at(-1) ?? wantedKbps) < narrowKbps, narrow?.bitrateKbps);
    check('the viewer was never cut off', viewer.isWatching());
    check('one connection to the relay', station.relay.publications.length === 1, station.relay.publications.length);

    await passThrough(venue.line, [{ kind: 'cut', lengthS: cutS }], bitrateKbps);
    const mendedAt = performance.now();
    // A player may have given up meanwhile.
    const again = await until('a player of the stream', boundMs, () => watch(laboratory, station.address));
    await until('pictures again', boundMs, () => again.frames.length > 1);
    figure(`after a cut of ${cutS} s: a new player has pictures after`, Math.round((again.frames[0]?.atMs ?? 0) - mendedAt), 'ms');
    figure('connections to the relay in all', station.relay.publications.length, '');
    check('no complaint of the protocol', station.fleet.problems.length === 0, station.fleet.problems);
  },
};
