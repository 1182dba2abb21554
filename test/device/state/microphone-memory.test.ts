import { expect, test } from 'vitest';
import { MicrophoneMemory } from '#device/state/microphone-memory.ts';
import { until } from '../../until.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from '../uplink/memory-state.ts';

async function loadedMemory(state: MemoryState, bootId: string, log = quietLog()): Promise<MicrophoneMemory> {
  const memory = new MicrophoneMemory({ state, log });
  await memory.load(bootId);
  return memory;
}

test('the order is remembered in the same boot, and not in another one; what is as before is not written again', async () => {
  const state = new MemoryState();
  const memory = await loadedMemory(state, 'boot-1');
  memory.keep([]);
  for (let time = 0; time < 3; time += 1) memory.keep(['two', 'one']);
  await until('written', 2000, () => state.writes === 1);
  const next = await loadedMemory(state, 'boot-1');
  next.keep(['two', 'one']);
  expect(next.value()).toEqual(['two', 'one']);
  expect(state.writes).toBe(1);
  expect((await loadedMemory(state, 'boot-2')).value()).toEqual([]);
});

test('a disk that refuses is said so once, and the order is kept all the same', async () => {
  const state = new MemoryState();
  state.failure = new Error('read-only');
  const log = quietLog();
  const memory = await loadedMemory(state, 'boot-1', log);
  memory.keep(['one']);
  memory.keep(['one', 'two']);
  await until('refused', 2000, () => log.lines.length === 1);
  expect(memory.value()).toEqual(['one', 'two']);
  state.failure = null;
  memory.keep(['one', 'two']);
  await until('written', 2000, () => state.writes === 1);
  expect((await loadedMemory(state, 'boot-1')).value()).toEqual(['one', 'two']);
  expect(log.lines).toHaveLength(1);
});
