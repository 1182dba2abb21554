import { expect, test } from 'vitest';
import type { ClockOffset } from '#device/health/fleet-clock.ts';
import { TimeOfDay } from '#device/schedule/time-of-day.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from '../uplink/memory-state.ts';

const friday = Date.parse('2026-11-20T20:05:00Z');
const twoDaysMs = 2 * 86_400_000;

type Parts = { says: boolean | null; clock?: ManualClock; state?: MemoryState; bootId?: string };

async function started({ says, clock = manualClock(friday), state = new MemoryState(), bootId = 'boot-1' }: Parts) {
  const world: { says: boolean | null; offset: ClockOffset | null; changes: number } = { says, offset: null, changes: 0 };
  const time = new TimeOfDay({
    clock,
    state,
    log: quietLog(),
    askMachine: async () => world.says,
    fleetOffset: () => world.offset,
    onChange: () => {
      world.changes += 1;
    },
  });
  await time.load(bootId);
  time.start();
  return { time, world, clock, state, isKnown: () => time.now().isTimeKnown };
}

test('the time at which a board was last on is not known to be right until a time server has answered', async () => {
  const { clock, world, isKnown } = await started({ says: false });
  await clock.advance(86_400_000);
  expect(isKnown()).toBe(false);
  world.says = true;
  await clock.advance(30_000);
  expect(world.changes).toBe(1);
  expect(isKnown()).toBe(true);
  await clock.advance(60_000);
  expect(clock.waitingTimers()).toBe(0);
});

test('what was shown once holds for the boot, also over a restart of the agent; the next boot has to show it anew', async () => {
  const first = await started({ says: true });
  expect(first.isKnown()).toBe(true);
  first.time.stop();
  const restarted = await started({ says: false, clock: first.clock, state: first.state });
  expect(restarted.isKnown()).toBe(true);
  const booted = await started({ says: false, state: first.state, bootId: 'boot-2' });
  expect(booted.isKnown()).toBe(false);
});

test('a clock that is set while the agent runs is right at once, and one that is set to 1970 is not', async () => {
  const { clock, isKnown } = await started({ says: false });
  clock.correctWallClock(-friday);
  expect(isKnown()).toBe(false);
  clock.correctWallClock(friday);
  expect(isKnown()).toBe(false);
  clock.correctWallClock(twoDaysMs);
  expect(isKnown()).toBe(true);
});

test('an agent that is held up between the readings of both clocks takes that for no setting', async () => {
  const base = manualClock(friday);
  const heldUp = { ms: 0 };
  const clock = { ...base, monotonicMs: () => base.monotonicMs() + heldUp.ms };
  const { time, isKnown } = await started({ says: false, clock });
  heldUp.ms = 3000;
  time.now();
  heldUp.ms = 0;
  expect(isKnown()).toBe(false);
});

test('the fleet server’s time proves a clock that is near it, and is gone by where it is not', async () => {
  const near = await started({ says: false });
  near.world.offset = { offsetMs: 3000, precisionMs: 600 };
  expect(near.time.now()).toEqual({ nowMs: friday, isTimeKnown: true });
  near.world.offset = null;
  expect(near.isKnown()).toBe(true);
  const far = await started({ says: false });
  far.world.offset = { offsetMs: -twoDaysMs, precisionMs: 600 };
  expect(far.time.now()).toEqual({ nowMs: friday + twoDaysMs, isTimeKnown: true });
  far.world.offset = null;
  expect(far.isKnown()).toBe(false);
});

test('a machine that cannot tell is believed, unless its clock was never set', async () => {
  const { time, world, clock, isKnown } = await started({ says: null });
  world.offset = { offsetMs: -twoDaysMs, precisionMs: 600 };
  expect(time.now()).toEqual({ nowMs: friday, isTimeKnown: true });
  clock.correctWallClock(-friday);
  expect(isKnown()).toBe(false);
});

test('no answer is no new word of a machine that can tell', async () => {
  const { world, clock, isKnown } = await started({ says: false });
  world.says = null;
  await clock.advance(60_000);
  expect(isKnown()).toBe(false);
});
