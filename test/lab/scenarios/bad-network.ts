import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Arrival, readArrival } from '../../device/media/far-side.ts';
import { passages, passThrough, type Stage, tornGroups } from '../../device/media/uplink-scenario.ts';
import { timeUntil, until } from '../../until.ts';
import { buildInCameras, paintCamera, takeOut } from '../inside/modules.ts';
import { type Station, smallPicture, streamingStation } from '../inside/station.ts';
import { openVenue } from '../inside/venue.ts';
import { note } from '../inside/viewer.ts';
import type { Laboratory, Scenario } from '../scenario.ts';

const run = promisify(execFile);

const wantedKbps = 1500;
const framesPerSecond = 15;
const settings = { ...smallPicture, AV_VIDEO_BITRATE: String(wantedKbps), AV_VIDEO_BITRATE_MIN: '200', AV_RECORD: '1' };
const narrowKbps = 600;
const stages: readonly Stage[] = [
  { kind: 'rate', kbps: 3000, lengthS: 20 },
  { kind: 'rate', kbps: narrowKbps, lengthS: 20 },
  { kind: 'rate', kbps: 3000, lengthS: 20 },
];
const cut: readonly Stage[] = [{ kind: 'cut', lengthS: 20 }];
/** What was too much before is tried again after a minute at the latest, and each step up takes two seconds. */
const risenWithinMs = 90_000;
/** Far above what it takes. */
const boundMs = 60_000;
const longestLagMs = 5000;
const backWithinMs = 8000;
const recordedWithinMs = 5000;
/** A camera of an emulated machine leaves out a picture now and then. */
const longestGapMs = 1000;
/** Of the new connection, so that its lag shows. */
const picturesAgain = 10 * framesPerSecond;

export const badNetwork: Scenario = {
  name: 'bad-network',
  title:
    'over a line with 200 ms of delay and 2 % of loss, which narrows and is cut besides, the bitrate gives way and rises again, the far side is never far behind, and the recording is whole',
  boundMs: 500_000,
  async run(laboratory) {
    const { check, figure, undoLater } = laboratory;
    await buildInCameras(1);
    undoLater(() => takeOut('vivid'));
    await paintCamera('/dev/video0', 'noise');
    const venue = await openVenue(laboratory);
    const station = await streamingStation(laboratory, settings, venue.place);
    const first = await note(laboratory, station.address);
    const from = first.arrivals.length;
    const begin = performance.now();
    const bitrateKbps = () => station.lastHealth()?.adaptation?.bitrateKbps ?? wantedKbps;
    const [far, narrow, wide] = await passThrough(venue.line, stages, bitrateKbps);
    venue.endLosses();
    figure('far and lossy: bitrate at the end', far?.bitrateKbps.at(-1) ?? 0, 'kbit/s');
    figure(`narrowed to ${narrowKbps} kbit/s: bitrate at the end`, narrow?.bitrateKbps.at(-1) ?? 0, 'kbit/s');
    figure('wide again: bitrate at the end', wide?.bitrateKbps.at(-1) ?? 0, 'kbit/s');
    const riseMs = await timeUntil(`more than ${narrowKbps} kbit/s again`, risenWithinMs, () => bitrateKbps() > narrowKbps);
    figure(`without losses: above ${narrowKbps} kbit/s after`, riseMs, 'ms');
    const rate = (first.arrivals.length - from) / ((performance.now() - begin) / 1000);
    check(`the frame rate was kept: ${rate.toFixed(1)}/s at the far side, of ${framesPerSecond}`, rate > 13, rate);
    check('the bitrate gave way', (narrow?.bitrateKbps.at(-1) ?? wantedKbps) < narrowKbps, narrow?.bitrateKbps);
    check('the viewer was never cut off', first.isWatching());
    check('one connection to the relay', station.relay.publications.length === 1, station.relay.publications.length);
    const before = first.arrivals.slice();

    await passThrough(venue.line, cut, bitrateKbps);
    const mendedAt = performance.now();
    await until('the stream at the relay again', boundMs, () => station.relay.publications.length > 1);
    const backMs = Math.round(performance.now() - mendedAt);
    check(`after the cut the stream is at the relay again after ${backMs} ms, of ${backWithinMs}`, backMs <= backWithinMs, backMs);
    const second = await until('a player of the stream', boundMs, () => note(laboratory, station.address));
    await until('pictures again', boundMs, () => second.arrivals.length > picturesAgain);
    const after = second.arrivals.slice();
    figure('connections to the relay in all', station.relay.publications.length, '');

    const recorded = await untilRecorded(laboratory, await picturesMade(station));
    const gapMs = Math.max(...recorded.slice(1).map(({ dtsMs }, index) => dtsMs - (recorded[index]?.dtsMs ?? dtsMs)));
    check(`the recording has no gap: ${gapMs} ms at most from one picture to the next, the cut included`, gapMs <= longestGapMs, gapMs);
    const known = new Set(recorded.map(({ checksum }) => checksum));
    for (const [what, arrivals] of [
      ['before the cut', before],
      ['after it', after],
    ] as const) {
      const lagMs = Math.round(Math.max(...passages(arrivals).flatMap(({ lags }) => lags.map((lag) => lag.lagMs))));
      check(`${what} the far side was at most ${lagMs} ms behind, of ${longestLagMs}`, lagMs <= longestLagMs, lagMs);
      const missing = arrivals.filter(({ checksum }) => !known.has(checksum)).length;
      check(`what arrived ${what} is in the recording`, missing === 0, missing);
    }
    // Losses one after the other leave less than half the floor for seconds: then a group may lose its end.
    figure('before the cut: groups that lost their end', tornGroups(before, recorded), '');
    const torn = tornGroups(after, recorded);
    check('without losses whole groups of pictures arrived, or none of one', torn === 0, torn);
    check('no complaint of the protocol', station.fleet.problems.length === 0, station.fleet.problems);
  },
};

/** By the next word of the device: all that its encoder has made until then. */
async function picturesMade({ fleet, lastHealth }: Station): Promise<number> {
  const said = () => fleet.heard.filter(({ name }) => name === 'health').length;
  const before = said();
  await until('another health', boundMs, () => said() > before);
  return lastHealth()?.figures?.framesTotal ?? Number.POSITIVE_INFINITY;
}

/** The last second of a recording is not on the disk yet. */
function untilRecorded(laboratory: Laboratory, made: number): Promise<readonly Arrival[]> {
  return until(`all ${made} pictures in the recording`, recordedWithinMs, async () => {
    const recorded = await readRecording(laboratory);
    if (recorded.length < made) throw new Error(`${recorded.length} of ${made} pictures are recorded`);
    return recorded;
  });
}

/** It is still being written: its files are longer than the scenario. */
async function readRecording({ folder }: Laboratory): Promise<readonly Arrival[]> {
  const directory = join(folder, 'state', 'recordings');
  const files = (await readdir(directory)).filter((name) => name.endsWith('.flv')).toSorted();
  const pictures: Arrival[] = [];
  for (const file of files) {
    const output = ['-map', '0:v', '-c', 'copy', '-copyts', '-f', 'framecrc', '-'];
    const { stdout } = await run('ffmpeg', ['-v', 'fatal', '-nostdin', '-i', join(directory, file), ...output], { maxBuffer: 64e6 });
    pictures.push(...stdout.split('\n').flatMap((line) => readArrival(line, 0) ?? []));
  }
  return pictures;
}
