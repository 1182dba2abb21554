/** What deaths and outages cost a recording. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#device/media/clock.ts';
import { MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import { testPlan } from '../device/media/test-plan.ts';
import { TestRelay } from '../device/media/test-relay.ts';
import { type Death, killAgainAndAgain, segmentNames } from '../device/recording/kill-rounds.ts';
import { probeFile } from '../device/recording/probe.ts';
import { timeUntil, until } from '../until.ts';
import { type FigureSheet, underMs } from './figure-sheet.ts';

const nobody = 'rtmp://127.0.0.1:1/live';

async function inDirectory(work: (supervisor: MediaHostSupervisor, directory: string) => Promise<void>): Promise<void> {
  const state = await mkdtemp(join(tmpdir(), 'recording-bench-'));
  const silent = (): void => undefined;
  const supervisor = new MediaHostSupervisor({ stateDirectory: state, clock: systemClock, log: { info: silent, warn: silent } });
  try {
    await supervisor.start();
    await work(supervisor, join(state, 'recordings'));
  } finally {
    await supervisor.stop();
    await rm(state, { recursive: true, force: true });
  }
}

export async function printDeaths(sheet: FigureSheet, deaths: number): Promise<void> {
  await inDirectory(async (supervisor, directory) => {
    await supervisor.apply(testPlan({ target: nobody, recording: { segmentS: 600 } }));
    const pausesMs = Array.from({ length: deaths }, () => 300 + Math.random() * 2000);
    const found = await killAgainAndAgain(supervisor, directory, pausesMs);
    printSorted(sheet, 'lost by a death, at most', found, ({ lostMs }) => lostMs, 1000);
    printSorted(sheet, 'from a death to the next file', found, ({ awayMs }) => awayMs, 2000);
    sheet.print('largest gap inside a file', `${Math.max(...found.map(({ largestGapMs }) => largestGapMs))} ms`);
    const damaged = found.filter(({ complaints }) => complaints !== '').length;
    sheet.print(`files of ${found.length} that a decoder complains of`, damaged, { words: '0', isMet: damaged === 0 });
  });
}

function printSorted(sheet: FigureSheet, what: string, found: readonly Death[], figure: (death: Death) => number, boundMs: number): void {
  const sorted = found.map(figure).toSorted((one, other) => one - other);
  const worstMs = sorted.at(-1) ?? Number.POSITIVE_INFINITY;
  sheet.print(`${what} (median of ${sorted.length})`, `${sorted[Math.floor(sorted.length / 2)]} ms`);
  sheet.print('  the worst', `${worstMs} ms`, underMs(worstMs, boundMs));
}

export async function printOutage(sheet: FigureSheet, outageMs: number): Promise<void> {
  const relay = await TestRelay.start();
  await inDirectory(async (supervisor, directory) => {
    const outputs = () => supervisor.status()?.outputs ?? [];
    await supervisor.apply(testPlan({ target: relay.target, recording: { segmentS: 3600 } }));
    await until('stream and recording', 20_000, () => outputs().every(({ state }) => state.kind === 'streaming') && outputs().length === 2);
    await relay.killNginx();
    await delay(outageMs);
    await relay.startNginx();
    const awayMs = await timeUntil('the stream at the relay', 30_000, () => relay.publisherId());
    await delay(2_000);
    await supervisor.stop();
    sheet.print(`a relay that was gone for ${outageMs / 1000} s: stream back after`, `${awayMs} ms`, underMs(awayMs, 2000));
    for (const name of await segmentNames(directory)) {
      const { videoPackets, lastVideoMs, largestGapMs } = await probeFile(join(directory, name));
      const pictures = Math.round((lastVideoMs * 30) / 1000) + 1;
      sheet.print('  pictures in the recording', `${videoPackets} of ${pictures}`, {
        words: 'none missing',
        isMet: videoPackets >= pictures,
      });
      sheet.print('  largest gap', `${largestGapMs} ms`);
    }
  });
  await relay.stop();
}
