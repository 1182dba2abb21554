/** What deaths and outages cost a recording. Prints figures; judges nothing. */
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

const nobody = 'rtmp://127.0.0.1:1/live';

function print(what: string, figure: string | number, aim = ''): void {
  process.stdout.write(`${what.padEnd(62)} ${String(figure).padStart(12)}   ${aim}\n`);
}

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

export async function printDeaths(deaths: number): Promise<void> {
  await inDirectory(async (supervisor, directory) => {
    await supervisor.apply(testPlan({ target: nobody, recording: { segmentS: 600 } }));
    const pausesMs = Array.from({ length: deaths }, () => 300 + Math.random() * 2000);
    const found = await killAgainAndAgain(supervisor, directory, pausesMs);
    printSorted('lost by a death, at most', found, ({ lostMs }) => lostMs, 'aim: under 1000 ms');
    printSorted('from a death to the next file', found, ({ awayMs }) => awayMs, 'aim: under 2000 ms');
    print('largest gap inside a file', `${Math.max(...found.map(({ largestGapMs }) => largestGapMs))} ms`);
    print(`files of ${found.length} that a decoder complains of`, found.filter(({ complaints }) => complaints !== '').length, 'aim: 0');
  });
}

function printSorted(what: string, found: readonly Death[], figure: (death: Death) => number, aim: string): void {
  const sorted = found.map(figure).toSorted((one, other) => one - other);
  print(`${what} (median of ${sorted.length})`, `${sorted[Math.floor(sorted.length / 2)]} ms`, aim);
  print('  the worst', `${sorted.at(-1)} ms`);
}

export async function printOutage(outageMs: number): Promise<void> {
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
    print(`a relay that was gone for ${outageMs / 1000} s: stream back after`, `${awayMs} ms`, 'aim: under 2000 ms');
    for (const name of await segmentNames(directory)) {
      const { videoPackets, lastVideoMs, largestGapMs } = await probeFile(join(directory, name));
      print('  pictures in the recording', `${videoPackets} of ${Math.round((lastVideoMs * 30) / 1000) + 1}`);
      print('  largest gap', `${largestGapMs} ms`);
    }
  });
  await relay.stop();
}
