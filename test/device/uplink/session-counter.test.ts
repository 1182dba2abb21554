import { expect, test } from 'vitest';
import { SessionCounter } from '#device/uplink/session-counter.ts';
import { MemoryState } from './memory-state.ts';

const nowMs = () => Date.parse('2026-11-21T12:00:00Z');

test('one more a connection, over restarts and boots, with the clock set back', async () => {
  const state = new MemoryState();
  const first = new SessionCounter({ state, bootId: 'boot-1', nowMs });
  const one = await first.next();
  const two = await first.next();
  const afterReboot = await new SessionCounter({ state, bootId: 'boot-2', nowMs: () => 0 }).next();
  expect(two).toEqual({ bootId: 'boot-1', counter: one.counter + 1 });
  expect(afterReboot).toEqual({ bootId: 'boot-2', counter: one.counter + 2 });
});

test('a number is on disk before it is used', async () => {
  const state = new MemoryState();
  const counter = new SessionCounter({ state, bootId: 'boot', nowMs });
  const { counter: number } = await counter.next();
  expect(JSON.parse(state.files.get('session.json') ?? '')).toEqual({ bootId: 'boot', counter: number });
  state.failure = new Error('read-only');
  await expect(counter.next()).rejects.toThrow('read-only');
});

test('a number that no server has seen is used again, without another write', async () => {
  const state = new MemoryState();
  const counter = new SessionCounter({ state, bootId: 'boot', nowMs });
  const first = await counter.next();
  for (let attempt = 0; attempt < 100; attempt += 1) {
    counter.giveBack();
    expect(await counter.next()).toEqual(first);
  }
  expect(state.writes).toBe(1);
  expect((await counter.next()).counter).toBe(first.counter + 1);
});

test('after the loss of the file the numbers are above all that were used', async () => {
  const { counter } = await new SessionCounter({ state: new MemoryState(), bootId: 'boot', nowMs }).next();
  expect(counter).toBeGreaterThan(1_700_000_000);
});
