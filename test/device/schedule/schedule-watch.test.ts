import { expect, test } from 'vitest';
import { decideOutlets, describePause, isClockSet } from '#device/schedule/outlets.ts';
import { ScheduleWatch } from '#device/schedule/schedule-watch.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { manualClock } from '../manual-clock.ts';
import { MemoryState } from '../uplink/memory-state.ts';

const unzoned = { AV_STREAM_SCHEDULE: '09:00-17:00' };
const hours = { ...unzoned, AV_TIME_ZONE: 'UTC' };

async function startedWatch(options: { now: string; state?: MemoryState; settings?: SettingValues }) {
  const clock = manualClock(Date.parse(options.now));
  const state = options.state ?? new MemoryState();
  const settings = resolveSettings({ environment: options.settings ?? hours });
  const changes: boolean[] = [];
  const diskErrors: unknown[] = [];
  const machine = { zone: 'UTC' };
  const watch: ScheduleWatch = new ScheduleWatch({
    clock,
    state,
    time: () => ({ nowMs: clock.nowMs(), isTimeKnown: isClockSet(clock.nowMs()) }),
    ownZone: () => machine.zone,
    settings: () => settings,
    running: () => running,
    onLook: () => undefined,
    onChange: () => {
      const before = running.allowed.stream;
      running = decideOutlets(settings, watch.moment());
      if (running.allowed.stream !== before) changes.push(running.allowed.stream);
    },
    onDiskError: (cause) => diskErrors.push(cause),
  });
  await watch.load();
  let running = decideOutlets(settings, watch.moment());
  watch.start();
  await clock.advance(0);
  return {
    clock,
    state,
    watch,
    machine,
    changes,
    diskErrors,
    isStreaming: () => running.allowed.stream,
    said: () => describePause(running),
  };
}

test('starts and stops at the minute, for days, without anybody saying so', async () => {
  const { clock, changes } = await startedWatch({ now: '2026-11-23T08:00:00Z' });
  await clock.advance(3_599_000);
  expect(changes).toEqual([]);
  await clock.advance(1200);
  expect(changes).toEqual([true]);
  await clock.advance(8 * 3_600_000);
  expect(changes).toEqual([true, false]);
  await clock.advance(2 * 86_400_000);
  expect(changes).toEqual([true, false, true, false, true, false]);
});

test('a clock that is corrected is followed within half a minute', async () => {
  const { clock, changes } = await startedWatch({ now: '2026-11-23T09:30:00Z' });
  clock.correctWallClock(-3_600_000);
  await clock.advance(30_000);
  expect(changes).toEqual([false]);
  clock.correctWallClock(3_600_000);
  await clock.advance(30_000);
  expect(changes).toEqual([false, true]);
});

test('a machine whose own time zone is set anew is followed within half a minute; one that is chosen is stronger', async () => {
  const { clock, machine, changes } = await startedWatch({ now: '2026-11-23T08:30:00Z', settings: unzoned });
  machine.zone = 'Europe/Berlin';
  await clock.advance(30_000);
  expect(changes).toEqual([true]);
  const chosen = await startedWatch({ now: '2026-11-23T08:30:00Z' });
  chosen.machine.zone = 'Europe/Berlin';
  await chosen.clock.advance(30_000);
  expect(chosen.changes).toEqual([]);
});

test('what people are told of the hours goes by the zone and the clock of now, also where nothing starts or stops', async () => {
  const { clock, machine, changes, said } = await startedWatch({ now: '2026-11-23T20:00:00Z', settings: unzoned });
  expect(said()).toBe('outside its streaming hours until Tuesday, 24 November 2026 at 09:00 (UTC)');
  machine.zone = 'Europe/Berlin';
  await clock.advance(30_000);
  expect(said()).toBe('outside its streaming hours until Tuesday, 24 November 2026 at 09:00 (Europe/Berlin)');
  clock.correctWallClock(7 * 86_400_000);
  await clock.advance(30_000);
  expect(said()).toContain('until Tuesday, 1 December 2026 at 09:00');
  expect(changes).toEqual([]);
});

test('power comes back without the time: what was on stays on, what was off stays off, until the clock is set', async () => {
  for (const [before, wasOn] of [
    ['2026-11-23T12:00:00Z', true],
    ['2026-11-23T20:00:00Z', false],
  ] as const) {
    const first = await startedWatch({ now: before });
    await first.watch.stop();
    const second = await startedWatch({ now: '1970-01-01T00:00:10Z', state: first.state });
    expect(second.isStreaming()).toBe(wasOn);
    await second.clock.advance(86_400_000);
    expect(second.changes).toEqual([]);
    second.clock.correctWallClock(Date.parse('2026-11-24T12:00:00Z') - second.clock.nowMs());
    await second.clock.advance(30_000);
    expect(second.isStreaming()).toBe(true);
  }
});

test('a device that never had the time waits with its stream', async () => {
  const { isStreaming } = await startedWatch({ now: '1970-01-01T00:00:10Z' });
  expect(isStreaming()).toBe(false);
});

test('without a schedule the time does not matter', async () => {
  const { isStreaming } = await startedWatch({ now: '1970-01-01T00:00:10Z', settings: {} });
  expect(isStreaming()).toBe(true);
});

test('writes to the disk only when something changes; a disk that refuses stops nothing', async () => {
  const state = new MemoryState();
  const { clock } = await startedWatch({ now: '2026-11-23T12:00:00Z', state });
  await clock.advance(3_600_000);
  expect(state.writes).toBe(1);
  const refusing = new MemoryState();
  refusing.failure = new Error('ENOSPC');
  const other = await startedWatch({ now: '2026-11-23T08:59:00Z', state: refusing });
  await other.clock.advance(120_000);
  expect(other.isStreaming()).toBe(true);
  expect(other.diskErrors).toHaveLength(2);
});

test('what a disk refused while the hours ended is written once it takes it', async () => {
  const { clock, state } = await startedWatch({ now: '2026-11-23T16:59:00Z' });
  state.failure = new Error('ENOSPC');
  await clock.advance(90_000);
  state.failure = null;
  await clock.advance(5000);
  const after = await startedWatch({ now: '1970-01-01T00:00:10Z', state });
  expect(after.isStreaming()).toBe(false);
});
