import { passThrough, type Stage } from '../../device/media/uplink-scenario.ts';
import { buildInCameras, paintCamera, takeOut } from '../inside/modules.ts';
import { smallPicture, streamingStation } from '../inside/station.ts';
import { openVenue } from '../inside/venue.ts';
import { watch } from '../inside/viewer.ts';
import type { Scenario } from '../scenario.ts';

const wantedKbps = 1500;
const bitrates = { ...smallPicture, AV_VIDEO_BITRATE: String(wantedKbps), AV_VIDEO_BITRATE_MIN: '200' };
const narrowKbps = 500;
const stages: readonly Stage[] = [
  { kind: 'rate', kbps: 3000, lengthS: 20 },
  { kind: 'rate', kbps: narrowKbps, lengthS: 20 },
];

export const badNetwork: Scenario = {
  name: 'bad-network',
  title: 'over a line with 200 ms of delay and 2 % of loss, which narrows besides, the bitrate gives way and the stream stays',
  boundMs: 300_000,
  async run(laboratory) {
    const { check, figure, undoLater } = laboratory;
    await buildInCameras(1);
    undoLater(() => takeOut('vivid'));
    await paintCamera('/dev/video0', 'noise');
    const venue = await openVenue(laboratory);
    const station = await streamingStation(laboratory, bitrates, venue);
    const viewer = await watch(laboratory, station.address);
    const from = viewer.frames.length;
    const begin = performance.now();
    const bitrateKbps = () => station.lastHealth()?.adaptation?.bitrateKbps ?? wantedKbps;
    const times = await passThrough(venue.line, stages, bitrateKbps);
    for (const [index, { bitrateKbps: seen }] of times.entries()) {
      const name = index === 0 ? 'far and lossy' : `narrowed to ${narrowKbps} kbit/s`;
      figure(`${name}: bitrate at the end`, seen.at(-1) ?? 0, 'kbit/s');
    }
    const framesPerSecond = (viewer.frames.length - from) / ((performance.now() - begin) / 1000);
    figure('frames a second at the far side', Number(framesPerSecond.toFixed(1)), '/s', '15');
    check('the bitrate gave way', bitrateKbps() < narrowKbps + 100, bitrateKbps());
    check('the viewer was never cut off', viewer.isWatching());
    check('one connection to the relay', station.relay.publications.length === 1, station.relay.publications.length);
  },
};
