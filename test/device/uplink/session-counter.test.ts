import { expect, test } from 'vitest';
import { SessionCounter } from '#device/uplink/session-counter.ts';
import { bootOf } from '#protocol/identifiers.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from './memory-state.ts';

const log = quietLog();
const nowMs = () => Date.parse('2026-11-21T12:00:00Z');

test('one more a connection, over restarts and boots, with the clock set back', async () => {
  const state = new MemoryState();
  const first = new SessionCounter({ state, bootId: 'boot-1', nowMs, log });
  const one = await first.next();
  const two = await first.next();
  const afterReboot = await new SessionCounter({ state, bootId: 'boot-2', nowMs: () => 0, log }).next();
  expect(two).toEqual({ bootId: 'boot-1', counter: one.counter + 1 });
  expect(afterReboot).toEqual({ bootId: 'boot-2', counter: one.counter + 2 });
});

test('a number is on disk before it is used', async () => {
  const state = new MemoryState();
  const counter = new SessionCounter({ state, bootId: 'boot', nowMs, log });
  const { counter: number } = await counter.next();
  expect(JSON.parse(state.files.get('session.json') ?? '')).toEqual({ bootId: 'boot', counter: number });
});

test('a read-only card: numbers by the clock, which go on growing over restarts', async () => {
  const state = new MemoryState();
  const { counter: first } = await new SessionCounter({ state, bootId: 'boot', nowMs, log }).next();
  state.failure = Object.assign(new Error('no'), { code: 'EROFS' });
  const later = (seconds: number) => new SessionCounter({ state, bootId: 'boot', nowMs: () => nowMs() + seconds * 1000, log }).next();
  const second = await later(60);
  const third = await later(120);
  expect(second.counter).toBeGreaterThan(first + 1);
  expect(third.counter).toBeGreaterThan(second.counter);
});

test('after numbers that no disk took, the next agent of the same boot is told apart, although its number is lower', async () => {
  const state = new MemoryState();
  await new SessionCounter({ state, bootId: 'boot', nowMs, log }).next();
  state.failure = Object.assign(new Error('no'), { code: 'EROFS' });
  const unkept = await new SessionCounter({ state, bootId: 'boot', nowMs: () => nowMs() + 60_000, log }).next();
  state.failure = null;
  const next = await new SessionCounter({ state, bootId: 'boot', nowMs, log }).next();
  expect(next.counter).toBeLessThan(unkept.counter);
  expect(next.bootId).toBe('boot');
  expect(unkept.bootId).toBe(`boot-${unkept.counter}`);
  expect([unkept, next].map(bootOf)).toEqual(['boot', 'boot']);
});

test('a number that no server has seen is used again, without another write', async () => {
  const state = new MemoryState();
  const counter = new SessionCounter({ state, bootId: 'boot', nowMs, log });
  const first = await counter.next();
  for (let attempt = 0; attempt < 100; attempt += 1) {
    counter.giveBack();
    expect(await counter.next()).toEqual(first);
  }
  expect(state.writes).toBe(1);
  expect((await counter.next()).counter).toBe(first.counter + 1);
});

test('after the loss of the file the numbers are above all that were used', async () => {
  const { counter } = await new SessionCounter({ state: new MemoryState(), bootId: 'boot', nowMs, log }).next();
  expect(counter).toBeGreaterThan(1_700_000_000);
});
