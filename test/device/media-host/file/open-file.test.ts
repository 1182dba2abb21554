import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFile } from '#device/media-host/file/open-file.ts';
import { temporaryDirectory } from '../../temporary-directory.ts';

const mp4 = Buffer.from('\0\0\0\x20ftypisom', 'latin1');

async function reasonFor(path: string, within: string | null = null): Promise<string> {
  const opened = await openFile({ path, within });
  if (opened.kind === 'refused') return opened.reason;
  await opened.handle.close();
  return opened.container;
}

test('what is no video says what it is and what to do', async () => {
  const directory = await temporaryDirectory();
  const path = (name: string) => join(directory, name);
  await Promise.all([
    writeFile(path('good.mp4'), mp4),
    writeFile(path('empty.mp4'), ''),
    writeFile(path('list.m3u8'), '#EXTM3U\n/etc/passwd\n'),
    mkdir(path('folder')),
    symlink('round', path('round')),
  ]);
  execFileSync('mkfifo', [path('pipe')]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path('socket'), resolve));
  expect(await reasonFor(path('good.mp4'))).toBe('qtdemux');
  expect(await reasonFor(path('none.mp4'))).toContain('is not there: put it there, it plays by itself once it is there');
  expect(await reasonFor(path('good.mp4/x'))).toContain('is not there');
  expect(await reasonFor(path('empty.mp4'))).toContain('is empty');
  expect(await reasonFor(path('list.m3u8'))).toContain('is no video that can be played');
  expect(await reasonFor(path('folder'))).toContain('is a folder');
  expect(await reasonFor(path('round'))).toContain('leads round in a circle');
  for (const special of [path('pipe'), path('socket'), '/dev/zero', '/dev/null'])
    expect(await reasonFor(special)).toContain('no ordinary file');
  server.close();
});

test('from afar no link leads out of the folder', async () => {
  const directory = await temporaryDirectory();
  const within = join(directory, 'media');
  const outside = join(directory, 'secret.mp4');
  await mkdir(within);
  await Promise.all([writeFile(join(within, 'own.mp4'), mp4), writeFile(outside, mp4), mkdir(join(directory, 'media-other'))]);
  await Promise.all([
    symlink('own.mp4', join(within, 'alias.mp4')),
    symlink(outside, join(within, 'out.mp4')),
    symlink('..', join(within, 'up')),
    symlink('media', join(directory, 'linked')),
  ]);
  expect(await reasonFor(join(within, 'own.mp4'), within)).toBe('qtdemux');
  expect(await reasonFor(join(within, 'alias.mp4'), within)).toBe('qtdemux');
  // The state directory itself may well be a link.
  expect(await reasonFor(join(directory, 'linked/own.mp4'), join(directory, 'linked'))).toBe('qtdemux');
  for (const path of ['out.mp4', 'up/secret.mp4', '../secret.mp4'])
    expect(await reasonFor(join(within, path), within)).toContain('no file elsewhere can be chosen from afar');
  expect(await reasonFor(join(within, 'out.mp4'))).toBe('qtdemux');
});

test('a file that was exchanged or written to is another one', async () => {
  const path = join(await temporaryDirectory(), 'a.mp4');
  const identity = async () => {
    const opened = await openFile({ path, within: null });
    if (opened.kind !== 'open') throw new Error(opened.reason);
    await opened.handle.close();
    return opened.identity;
  };
  await writeFile(path, mp4);
  const first = await identity();
  expect(await identity()).toBe(first);
  await writeFile(`${path}.new`, mp4);
  await rename(`${path}.new`, path);
  const second = await identity();
  await writeFile(path, Buffer.concat([mp4, mp4]));
  await chmod(path, 0o600);
  expect(new Set([first, second, await identity()]).size).toBe(3);
});
