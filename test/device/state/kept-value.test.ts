import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { KeptValue } from '#device/state/kept-value.ts';
import { stateFile } from '#device/state/state-directory.ts';
import { manualClock, settle } from '../manual-clock.ts';
import { MemoryState } from '../uplink/memory-state.ts';

const file = stateFile('lasting.json', Type.Object({ number: Type.Integer() }));
const full = new Error('ENOSPC');

function keptValue() {
  const [state, clock, errors] = [new MemoryState(), manualClock(), [] as unknown[]];
  const kept = new KeptValue({ file, state, clock, onDiskError: (cause) => errors.push(cause) });
  return { state, clock, errors, kept, again: () => new KeptValue({ file, state, clock, onDiskError: () => undefined }).load() };
}

test('what the disk refused is written once it takes it, and said once', async () => {
  const { state, clock, errors, kept, again } = keptValue();
  state.failure = full;
  await kept.keep({ number: 1 });
  await clock.advance(60_000);
  state.failure = null;
  expect(await again()).toBeNull();
  await clock.advance(5000);
  expect(await again()).toEqual({ number: 1 });
  expect(errors).toEqual([full]);
  expect(clock.waitingTimers()).toBe(0);
});

test('only the newest is written again, and that there is none any more as well', async () => {
  const { state, clock, errors, kept, again } = keptValue();
  await kept.keep({ number: 1 });
  state.failure = full;
  await kept.keep({ number: 2 });
  await kept.keep(null);
  expect(clock.waitingTimers()).toBe(1);
  state.failure = null;
  await clock.advance(5000);
  expect(await again()).toBeNull();
  expect([errors.length, state.writes]).toEqual([2, 1]);
});

test('a newer one that is refused is written again, also when the one before it was still being written', async () => {
  const { state, clock, kept, again } = keptValue();
  const write = state.write.bind(state);
  const ends: (() => void)[] = [];
  state.write = () =>
    new Promise((resolve, reject) => {
      ends.push(ends.length === 0 ? resolve : () => reject(full));
    });
  const writing = Promise.all([kept.keep({ number: 1 }), kept.keep({ number: 2 })]);
  for (const end of ends) end();
  await writing;
  state.write = write;
  await clock.advance(5000);
  expect(await again()).toEqual({ number: 2 });
});

test('a stop writes what is due once more, and ends all tries', async () => {
  const { state, clock, kept, again } = keptValue();
  state.failure = full;
  await kept.keep({ number: 1 });
  state.failure = null;
  await kept.stop();
  await kept.stop();
  expect(await again()).toEqual({ number: 1 });
  state.failure = full;
  await kept.keep({ number: 2 });
  await settle();
  expect(clock.waitingTimers()).toBe(0);
  expect(state.writes).toBe(1);
});
