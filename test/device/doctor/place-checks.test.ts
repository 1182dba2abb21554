import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDisk, checkNames, judgeClock } from '#device/doctor/place-checks.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const nowMs = Date.parse('2026-11-21T12:00:00Z');

test('a disk is written to, and left as it was', async () => {
  const directory = await temporaryDirectory();
  const check = await checkDisk(join(directory, 'not', 'yet', 'made'));
  expect(check).toMatchObject({ subject: 'disk', detail: expect.stringMatching(/can be written, \d+\.\d GB free$/) });
  expect(check.state).not.toBe('fail');
  expect(await readdir(directory)).toEqual([]);
});

test('a state directory that cannot be is a failure', async () => {
  const file = join(await temporaryDirectory(), 'file');
  await writeFile(file, '');
  expect(await checkDisk(file)).toMatchObject({ state: 'fail', detail: expect.stringContaining('ENOTDIR') });
});

test.each([
  ['never set', { nowMs: 60_000, offset: null, isSynchronised: null }, 'fail', /was never set/],
  ['synchronised', { nowMs, offset: null, isSynchronised: true }, 'pass', /^synchronised$/],
  ['not synchronised', { nowMs, offset: null, isSynchronised: false }, 'warn', /^not synchronised/],
  [
    'right by the fleet',
    { nowMs, offset: { offsetMs: -300, precisionMs: 520 }, isSynchronised: null },
    'pass',
    /0\.3 s behind the fleet server’s \(± 0\.5 s\)/,
  ],
  ['wrong by the fleet', { nowMs, offset: { offsetMs: 7200_000, precisionMs: 520 }, isSynchronised: true }, 'fail', /7200\.0 s ahead/],
] as const)('clock: %s', (_name, facts, state, detail) => {
  expect(judgeClock(facts)).toMatchObject({ state, detail: expect.stringMatching(detail) });
});

test('names', async () => {
  expect(await checkNames(['127.0.0.1', '[::1]'])).toMatchObject([{ state: 'pass' }]);
  expect(await checkNames(['localhost', 'localhost'])).toMatchObject([{ state: 'pass', detail: expect.stringMatching(/^localhost is /) }]);
  const [unknown] = await checkNames(['nowhere.invalid']);
  expect(unknown).toMatchObject({ state: 'fail', detail: expect.stringMatching(/^nowhere\.invalid: no /) });
});
