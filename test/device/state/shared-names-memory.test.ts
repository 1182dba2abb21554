import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SharedNamesMemory } from '#device/state/shared-names-memory.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { until } from '../../until.ts';
import { quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

async function loaded(path: string) {
  const log = quietLog();
  const state = new StateDirectory(path, log);
  const memory = new SharedNamesMemory({ state, log });
  await memory.load();
  return { memory, state, log };
}

test('what was shared once is known to the next agent; sixty-four are kept', async () => {
  const path = await temporaryDirectory();
  const { memory, state } = await loaded(path);
  expect(memory.learn([])).toEqual([]);
  for (let count = 0; count < 70; count += 1) memory.learn([`usb-${count}-`]);
  await state.settled();
  const { memory: next } = await loaded(path);
  expect(next.learn(['usb-69-'])).toEqual(Array.from({ length: 64 }, (_, index) => `usb-${index + 6}-`));
});

test('a damaged file, or a disk that refuses, costs no more than the memory', async () => {
  const path = await temporaryDirectory();
  await writeFile(join(path, 'shared-serial-numbers.json'), '{"names": 5}');
  expect((await loaded(path)).memory.learn([])).toEqual([]);
  const { memory, log } = await loaded(join(path, 'not', 'there'));
  expect(memory.learn(['usb-1-'])).toEqual(['usb-1-']);
  await until('said', 2000, () => log.lines.join('\n').includes('cannot note which serial numbers are shared'));
});
