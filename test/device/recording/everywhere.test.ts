import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { everywhereText, everywhereValue, readEverywhere } from '#device/recording/everywhere.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const [early, late] = ['2026-11-21T10-00-00Z', '2026-11-21T11-00-00Z'];

/** `wasOnDisk`: the agent has seen the directory on a disk of its own; here it is on the same one as everything else. */
async function device({ wasOnDisk }: { readonly wasOnDisk: boolean }) {
  const path = await temporaryDirectory();
  const wantedDirectory = join(path, 'mount');
  const meanwhileDirectory = join(path, 'meanwhile');
  await mkdir(wantedDirectory);
  if (wasOnDisk) await writeFile(join(path, 'recording-disks.json'), JSON.stringify({ directories: [wantedDirectory] }));
  const state = new StateDirectory(path, quietLog());
  const record = async (directory: string, name: string) => {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, `${name}.mp4`), 'x');
  };
  return { wantedDirectory, meanwhileDirectory, record, read: () => readEverywhere({ wantedDirectory, meanwhileDirectory, state }) };
}

test('while the disk is away, what lies on the device is listed, and not what lies at its mount point', async () => {
  const { wantedDirectory, meanwhileDirectory, record, read } = await device({ wasOnDisk: true });
  const head = `the disk of ${wantedDirectory} is away: recordings are made on the device until it is there again\n`;
  await record(wantedDirectory, early);
  expect(everywhereText(await read())).toBe(`${head}no recordings on the device\n`);
  expect(everywhereValue(await read())).toEqual({ directory: null, recordings: [], awayDirectory: wantedDirectory });
  await record(meanwhileDirectory, late);
  const text = everywhereText(await read());
  expect(text.startsWith(`${head}${meanwhileDirectory}:\n${late}.mp4 `)).toBe(true);
  expect(text).toContain('\n1 recordings, ');
  expect(text).not.toContain(early);
  expect(everywhereValue(await read())).toMatchObject({
    directory: meanwhileDirectory,
    awayDirectory: wantedDirectory,
    recordings: [{ name: late }],
  });
  expect(await readdir(meanwhileDirectory)).toEqual([`${late}.mp4`]);
});

test('what is still to be brought to a disk that is back is listed behind what is there', async () => {
  const { wantedDirectory, meanwhileDirectory, record, read } = await device({ wasOnDisk: false });
  await record(wantedDirectory, early);
  const before = everywhereText(await read());
  await mkdir(meanwhileDirectory);
  expect(everywhereText(await read()).split(';')[0]).toBe(before.split(';')[0]);
  await record(meanwhileDirectory, late);
  expect(everywhereText(await read())).toMatch(
    new RegExp(`^${early}\\.mp4 .*\\non the device, to be brought to ${wantedDirectory}, in ${meanwhileDirectory}:\\n${late}\\.mp4 `, 's'),
  );
  const value = everywhereValue(await read());
  expect(value).toMatchObject({ directory: wantedDirectory, recordings: [{ name: early }], meanwhile: { recordings: [{ name: late }] } });
  expect(value).not.toHaveProperty('awayDirectory');
});

test('a directory that is itself the one where recordings went meanwhile is listed once', async () => {
  const { wantedDirectory, meanwhileDirectory, record, read } = await device({ wasOnDisk: false });
  await record(wantedDirectory, early);
  await symlink(wantedDirectory, meanwhileDirectory);
  expect(everywhereText(await read())).toMatch(new RegExp(`^${early}\\.mp4 .*\\n1 recordings, .*\\n$`));
});
