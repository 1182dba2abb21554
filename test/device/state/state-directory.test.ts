import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { StateDirectory, stateFile } from '#device/state/state-directory.ts';
import { quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const file = stateFile('thing.json', Type.Object({ number: Type.Integer() }));

async function startedDirectory() {
  const path = join(await temporaryDirectory(), 'deep', 'state');
  const log = quietLog();
  const state = new StateDirectory(path, log);
  await state.start();
  return { path, log, state };
}

test('what was written is read again; directory and file are the owner’s alone', async () => {
  const { path, state } = await startedDirectory();
  await state.write(file, { number: 7 });
  expect(await state.read(file)).toEqual({ number: 7 });
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect((await stat(join(path, 'thing.json'))).mode & 0o777).toBe(0o600);
  expect((await readdir(path)).sort()).toEqual(['media', 'thing.json']);
});

test('writes that meet come one after the other: the last one stays', async () => {
  const { state } = await startedDirectory();
  await Promise.all(Array.from({ length: 20 }, (_, number) => state.write(file, { number })));
  expect(await state.read(file)).toEqual({ number: 19 });
});

test('a file that is removed while it is being written is gone; one that is written while it is being removed stays', async () => {
  const { path, state } = await startedDirectory();
  await Promise.all([state.write(file, { number: 1 }), state.remove(file)]);
  expect(await readdir(path)).toEqual(['media']);
  await state.write(file, { number: 2 });
  await Promise.all([state.remove(file), state.write(file, { number: 3 })]);
  expect(await state.read(file)).toEqual({ number: 3 });
});

test('no file is no news', async () => {
  const { state, log } = await startedDirectory();
  expect(await state.read(file)).toBeNull();
  expect(log.lines).toEqual([]);
});

test.each([
  ['cut in half', '{"num'],
  ['empty', ''],
  ['of another shape', '{"number":"seven"}'],
])('a file that is %s is set aside and said so', async (_name, content) => {
  const { path, log, state } = await startedDirectory();
  await writeFile(join(path, 'thing.json'), content);
  expect(await state.read(file)).toBeNull();
  expect(await readFile(join(path, 'thing.json.damaged'), 'utf8')).toBe(content);
  expect(log.lines).toEqual(['thing.json in the state directory is damaged: kept as thing.json.damaged, going on without it']);
  await state.write(file, { number: 1 });
  expect(await state.read(file)).toEqual({ number: 1 });
});

test('of a file that nothing could be read of: whether it was damaged, cannot be read, or never was', async () => {
  const { path, state } = await startedDirectory();
  expect(await state.whyLost(file)).toBeNull();
  await writeFile(join(path, 'thing.json'), 'x');
  await state.read(file);
  expect(await state.whyLost(file)).toBe('thing.json in the state directory was damaged (kept as thing.json.damaged)');
  await mkdir(join(path, 'thing.json'));
  expect(await state.read(file)).toBeNull();
  expect(await state.whyLost(file)).toBe('thing.json in the state directory cannot be read');
});

test('a listener is told of each damaged file once, whenever it was read', async () => {
  const { path, state } = await startedDirectory();
  const other = { ...file, name: 'other.json' };
  const told: string[] = [];
  await writeFile(join(path, 'thing.json'), '{');
  await state.read(file);
  state.onDamaged((name) => told.push(name));
  expect(told).toEqual(['thing.json']);
  for (const name of ['thing.json', 'other.json']) await writeFile(join(path, name), '{');
  await state.read(file);
  await state.read(other);
  expect(told).toEqual(['thing.json', 'other.json']);
});

test('who only reads says that a file is damaged, and leaves it where it is', async () => {
  const { path, log } = await startedDirectory();
  await writeFile(join(path, 'thing.json'), '{"num');
  expect(await new StateDirectory(path, log, { isReader: true }).read(file)).toBeNull();
  expect(log.lines).toEqual(['thing.json in the state directory is damaged']);
  expect((await readdir(path)).sort()).toEqual(['media', 'thing.json']);
});

test('a temporary file left by a crash does no harm', async () => {
  const { path, state } = await startedDirectory();
  await writeFile(join(path, 'thing.json.new'), 'half a', { mode: 0o644 });
  await state.write(file, { number: 2 });
  expect(await state.read(file)).toEqual({ number: 2 });
  expect((await stat(join(path, 'thing.json'))).mode & 0o777).toBe(0o600);
});
