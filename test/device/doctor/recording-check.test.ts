import { spawnSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkRecordingDirectory } from '#device/doctor/recording-check.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test('one that is there is written to and left as it was; one that can be made is not made', async () => {
  const directory = await temporaryDirectory();
  const there = await checkRecordingDirectory(directory);
  expect(there).toMatchObject({ subject: 'recordings', detail: expect.stringMatching(/can be written, \d+\.\d GB free/) });
  expect(there.state).not.toBe('fail');
  expect((await checkRecordingDirectory(join(directory, 'new'))).detail).toContain('can be made');
  expect(await readdir(directory)).toEqual([]);
});

test('a disk that is not mounted, and a file', async () => {
  const directory = await temporaryDirectory();
  const away = await checkRecordingDirectory(join(directory, 'disk', 'recordings'));
  expect(away).toMatchObject({ state: 'fail', detail: expect.stringContaining('is not there'), advice: expect.stringContaining('Mount') });
  await writeFile(join(directory, 'file'), '');
  expect(await checkRecordingDirectory(join(directory, 'file'))).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('no directory'),
  });
});

test('one that the user may not write', () => {
  // Root may write everywhere, so another user looks.
  const script = `
    const { checkRecordingDirectory } = await import('#device/doctor/recording-check.ts');
    if (process.getuid() === 0) process.setuid(54321);
    console.log(JSON.stringify(await checkRecordingDirectory('/usr')));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const detail = '/usr cannot be written: this user may not write there (AV_RECORD_DIR)';
  expect(JSON.parse(stdout)).toMatchObject({ state: 'fail', detail });
});
