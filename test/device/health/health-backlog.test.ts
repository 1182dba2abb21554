import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backlogBatch, HealthBacklogKeeper, maxBacklogSamples } from '#device/health/health-backlog.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { encodeUpward } from '#protocol/envelope.ts';
import type { Health } from '#protocol/messages.ts';
import { upwardTopics } from '#protocol/topics.ts';
import { settle } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { MemoryState } from '../uplink/memory-state.ts';

const health = (framesPerSecond: number): Health => ({
  media: { kind: 'running', since: '2026-11-21T12:00:00Z' },
  figures: { framesPerSecond, videoBitrateKbps: 2500, audioBitrateKbps: 128, framesTotal: 1, width: 1280, height: 720 },
  outputs: [],
  conditions: [],
  board: {
    uptimeS: 1,
    loadAverage1m: 0.5,
    memoryTotalBytes: 1e9,
    memoryAvailableBytes: 5e8,
    agentRssBytes: 1,
    mediaHostRssBytes: 1,
    diskTotalBytes: 1,
    diskFreeBytes: 1,
  },
});

const startMs = Date.parse('2026-11-21T12:00:00Z');
const minuteMs = 60_000;

function backlog() {
  const time = { nowMs: 0 };
  const state = new MemoryState();
  const log = quietLog();
  const wall = { offsetMs: startMs };
  /** An agent that starts on a board which was booted then. */
  const start = async (bootId: string, bootedAtMs = 0, ofState: MemoryState | StateDirectory = state) => {
    const keeper = new HealthBacklogKeeper({
      state: ofState,
      log,
      nowMs: () => time.nowMs + wall.offsetMs,
      uptimeMs: () => time.nowMs - bootedAtMs,
    });
    await keeper.load(bootId);
    return keeper;
  };
  const pass = async (keeper: HealthBacklogKeeper, byMs: number) => {
    for (const untilMs = time.nowMs + byMs; time.nowMs < untilMs; time.nowMs += 10_000) {
      keeper.add(health(time.nowMs / minuteMs));
      if (time.nowMs % minuteMs === 0) await settle();
    }
  };
  return { time, wall, state, log, start, pass };
}

/** The minute of each sample that waits, and how many minutes ago it says that was. */
function minutesOf(keeper: HealthBacklogKeeper): readonly (readonly [minute: number | null, ago: number])[] {
  return keeper.next()?.samples.map(({ framesPerSecond, ageMs }) => [framesPerSecond, ageMs / minuteMs] as const) ?? [];
}

function delivered(keeper: HealthBacklogKeeper): number {
  let count = 0;
  for (let next = keeper.next(); next !== null; next = keeper.next()) {
    count += next.samples.length;
    keeper.drop(next.samples.length);
  }
  return count;
}

test('one a minute, with the age that it has when it is sent', async () => {
  const { time, start } = backlog();
  const keeper = await start('boot');
  for (time.nowMs = 0; time.nowMs < 180_000; time.nowMs += 10_000) keeper.add(health(time.nowMs / 10_000));
  expect(keeper.next()?.samples.map(({ ageMs, framesPerSecond }) => [ageMs, framesPerSecond])).toEqual([
    [180_000, 0],
    [120_000, 6],
    [60_000, 12],
  ]);
  time.nowMs += 5000;
  expect(keeper.next()?.samples[0]?.ageMs).toBe(185_000);
  keeper.drop(2);
  expect(keeper.next()?.samples).toHaveLength(1);
  keeper.drop(1);
  expect(keeper.next()).toBeNull();
});

test('days offline: the last six hours, in messages that fit their limit', async () => {
  const { time, start } = backlog();
  const keeper = await start('boot');
  for (time.nowMs = 0; time.nowMs < 3 * 86_400_000; time.nowMs += 10_000) keeper.add(health(29.97));
  const ages: number[] = [];
  for (let next = keeper.next(); next !== null; next = keeper.next()) {
    expect(next.samples.length).toBeLessThanOrEqual(backlogBatch);
    const text = encodeUpward('health-backlog', { session: { bootId: 'b', counter: 1 }, sequence: 1, sentAt: '', body: next });
    expect(text.length).toBeLessThan(upwardTopics['health-backlog'].maxBytes);
    ages.push(...next.samples.map(({ ageMs }) => ageMs));
    keeper.drop(next.samples.length);
  }
  expect(ages).toHaveLength(maxBacklogSamples);
  expect(Math.max(...ages)).toBeLessThanOrEqual(6 * 3_600_000 + 60_000);
});

test('an agent that is started again tells what the former one could not, whatever the wall clock did meanwhile', async () => {
  const { time, wall, start, pass } = backlog();
  const former = await start('boot');
  await pass(former, 3 * minuteMs);
  await former.stop();
  wall.offsetMs += 3_600_000;
  time.nowMs += minuteMs;
  const next = await start('boot');
  await pass(next, minuteMs);
  expect(minutesOf(next)).toEqual([
    [0, 5],
    [1, 4],
    [2, 3],
    [4, 1],
  ]);
});

test('a power cut takes five minutes of it at most; what is left is placed by the wall clock', async () => {
  const { time, start, pass } = backlog();
  await pass(await start('boot'), 14 * minuteMs);
  time.nowMs += 30 * minuteMs;
  const next = await start('next boot', time.nowMs);
  expect(minutesOf(next).map(([minute]) => minute)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(minutesOf(next)[0]).toEqual([0, 44]);
  await pass(next, minuteMs);
  await next.stop();
  const third = await start('third boot', time.nowMs);
  expect(minutesOf(third).slice(-2)).toEqual([
    [10, 35],
    [44, 1],
  ]);
});

test('a board that does not know the time yet tells of this boot, and of the former one once it knows', async () => {
  const { time, wall, start, pass } = backlog();
  const former = await start('boot');
  await pass(former, 2 * minuteMs);
  await former.stop();
  time.nowMs += 10 * minuteMs;
  wall.offsetMs = 0;
  const next = await start('next boot', time.nowMs);
  await pass(next, minuteMs);
  expect(minutesOf(next)).toEqual([[12, 1]]);
  next.drop(1);
  expect(next.next()).toBeNull();
  wall.offsetMs = startMs;
  expect(minutesOf(next)).toEqual([
    [0, 13],
    [1, 12],
  ]);
});

test('what came while no time was known has none after a boot: it is left out, and that is said', async () => {
  const { wall, log, start, pass } = backlog();
  wall.offsetMs = 0;
  const former = await start('boot');
  await pass(former, 2 * minuteMs);
  await former.stop();
  wall.offsetMs = startMs;
  expect((await start('next boot', 120_000)).next()).toBeNull();
  expect(log.lines).toEqual([expect.stringContaining('left out')]);
});

test('the disk is written every five minutes at most, not at all for a moment without the fleet, and the file goes when all has arrived', async () => {
  const { time, state, start, pass } = backlog();
  const keeper = await start('boot');
  await pass(keeper, 4 * minuteMs);
  expect(delivered(keeper)).toBe(4);
  await keeper.stop();
  expect(state.writes).toBe(0);
  await pass(keeper, 10 * 60 * minuteMs);
  await keeper.stop();
  expect(state.writes).toBeGreaterThan(100);
  expect(state.writes).toBeLessThanOrEqual(10 * 12 + 1);
  const next = await start('next boot', time.nowMs);
  expect(delivered(next)).toBe(maxBacklogSamples);
  await next.stop();
  expect([...state.files.keys()]).toEqual([]);
});

test('a damaged file is set aside with a word', async () => {
  const { log, start, pass } = backlog();
  const directory = await temporaryDirectory();
  const path = join(directory, 'health-backlog.json');
  const state = new StateDirectory(directory, log);
  const former = await start('boot', 0, state);
  await pass(former, minuteMs);
  await former.stop();
  await writeFile(path, (await readFile(path, 'utf8')).slice(0, -20));
  const next = await start('boot', 0, state);
  expect(next.next()).toBeNull();
  expect(log.lines).toEqual([expect.stringContaining('health-backlog.json')]);
  await pass(next, minuteMs);
  await next.stop();
  expect(minutesOf(await start('boot', 0, state))).toHaveLength(1);
  expect((await readdir(directory)).toSorted()).toEqual(['health-backlog.json', 'health-backlog.json.damaged']);
});

test('a full disk costs no more than the memory over a restart, and is said once', async () => {
  const { state, log, start, pass } = backlog();
  state.failure = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  const keeper = await start('boot');
  await pass(keeper, 60 * minuteMs);
  await keeper.stop();
  expect(log.lines).toEqual([expect.stringContaining('ENOSPC')]);
  expect(keeper.next()?.samples).toHaveLength(60);
  state.failure = null;
  await keeper.stop();
  expect((await start('boot')).next()?.samples).toHaveLength(60);
});
