/** The first file system of the virtual machine, in memory: busybox, the modules that lead to the real one, and what it is told. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Kernel } from './kernel.ts';
import { programPath } from './requirements.ts';

/** What the machine cannot know by itself: each is a file with one line. */
export type Told = {
  readonly repository: string;
  readonly node: string;
  readonly home: string;
  /** Names with commas between them. */
  readonly scenarios: string;
};

const applets: readonly string[] = 'sh mount mkdir insmod chroot poweroff uname hostname ip'.split(' ');

/** Writes `folder`/initramfs and answers with its path. */
export async function buildInitramfs(folder: string, kernel: Kernel, told: Told): Promise<string> {
  const tree = join(folder, 'initramfs.tree');
  for (const name of ['bin', 'modules', 'told', 'proc', 'sys', 'dev']) await mkdir(join(tree, name), { recursive: true });
  await copyFile(programPath('busybox'), join(tree, 'bin', 'busybox'));
  for (const applet of applets) await symlink('busybox', join(tree, 'bin', applet));
  await copyFile(join(import.meta.dirname, 'machine', 'init'), join(tree, 'init'));
  await chmod(join(tree, 'init'), 0o755);
  for (const module of kernel.bootModules) await copyFile(module, join(tree, 'modules', basename(module)));
  const texts = {
    ...told,
    'modules-directory': kernel.modulesDirectory,
    'boot-modules': kernel.bootModules.map((path) => basename(path)).join('\n'),
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(tree, 'told', name), `${text}\n`);
  const files = [
    ...['.', 'init', 'bin', 'modules', 'told', 'proc', 'sys', 'dev', 'bin/busybox'],
    ...applets.map((applet) => `bin/${applet}`),
    ...kernel.bootModules.map((path) => `modules/${basename(path)}`),
    ...Object.keys(texts).map((name) => `told/${name}`),
  ];
  const image = join(folder, 'initramfs');
  await pack(tree, files, image);
  return image;
}

/** In the form that the kernel takes (cpio's "newc", all owned by root). */
async function pack(tree: string, files: readonly string[], image: string): Promise<void> {
  const child = spawn('cpio', ['--create', '--format=newc', '--owner=+0:+0', '--quiet'], { cwd: tree, stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdin.end(`${files.join('\n')}\n`);
  await pipeline(child.stdout, createWriteStream(image));
  const [code] = await exited;
  if (code !== 0) throw new Error(`expected cpio to pack ${tree}, it ended with ${code}`);
}
