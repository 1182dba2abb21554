import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { forgetfulEncoderMemory, loadEncoderMemory } from '#device/state/encoder-memory.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { until } from '../../until.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const quiet = { warn: () => undefined };

test('what starts is known to the next program; sixteen are kept', async () => {
  const path = await temporaryDirectory();
  const state = new StateDirectory(path, quiet);
  const memory = await loadEncoderMemory(state, quiet);
  for (let count = 0; count < 20; count += 1) memory.learn(`encoder ${count}`);
  expect(memory.knows('encoder 0')).toBe(true);
  await until('the last one in the file', 5000, async () =>
    (await readFile(join(path, 'encoders-that-start.json'), 'utf8').catch(() => '')).includes('encoder 19'),
  );
  const next = await loadEncoderMemory(state, quiet);
  expect([next.knows('encoder 3'), next.knows('encoder 4'), next.knows('encoder 19')]).toEqual([false, true, true]);
});

test('a damaged file, or a disk that refuses, only means that it is tried again', async () => {
  const path = await temporaryDirectory();
  await writeFile(join(path, 'encoders-that-start.json'), '{"fingerprints": 5}');
  const memory = await loadEncoderMemory(new StateDirectory(path, quiet), quiet);
  expect(memory.knows('anything')).toBe(false);
  const warnings: string[] = [];
  const log = { warn: (text: string) => void warnings.push(text) };
  const nowhere = await loadEncoderMemory(new StateDirectory(join(path, 'not', 'there'), quiet), log);
  nowhere.learn('x264enc');
  await until('a warning', 5000, () => warnings.length > 0);
  expect(warnings[0]).toContain('it is tried again next time');
  expect(nowhere.knows('x264enc')).toBe(true);
});

test('the forgetful one forgets', () => {
  const memory = forgetfulEncoderMemory();
  memory.learn('x264enc');
  expect(memory.knows('x264enc')).toBe(false);
});
