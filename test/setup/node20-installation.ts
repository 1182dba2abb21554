/**
 * The bundle as it is installed on a machine that has Node 20 and nothing newer: the GStreamer binding is native and is built
 * for the Node that loads it. Built once, in `.build/node-20`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const oldestMinor = 19;

export type Node20 = { readonly program: string; readonly version: string; readonly gyp: string; readonly prefix: string };

/** The first Node 20.19 or newer of that line on the path, beyond the project's own, with what it takes to build for it. */
export function findNode20(): Node20 | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  for (const program of folders.map((folder) => join(folder, 'node')).filter((file) => existsSync(file))) {
    const version = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim();
    if (Number(/^v20\.(\d+)\./.exec(version)?.[1] ?? -1) < oldestMinor) continue;
    const prefix = dirname(dirname(realpathSync(program)));
    const gyp = join(prefix, 'lib', 'node_modules', 'npm', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
    if (existsSync(gyp) && existsSync(join(prefix, 'include', 'node', 'node.h'))) return { program, version, gyp, prefix };
  }
  return null;
}

/** The path of agent.js. */
export function installFor({ program, version, gyp, prefix }: Node20): string {
  const bundle = join(root, '.build', 'agent');
  // `npm test` has built it; by hand it may be missing.
  if (!existsSync(join(bundle, 'agent.js'))) run(process.execPath, [join(root, 'setup', 'bundle-agent.ts')], root);
  const home = join(root, '.build', `node-20-${version}`);
  const binding = join(home, 'node_modules', 'gstreamer-superficial');
  if (!existsSync(join(binding, 'build', 'Release', 'gstreamer-superficial.node'))) {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(join(home, 'node_modules'), { recursive: true });
    for (const name of ['gstreamer-superficial', 'nan']) {
      cpSync(join(root, 'node_modules', name), join(home, 'node_modules', name), {
        recursive: true,
        filter: (path) => !path.endsWith('/build'),
      });
    }
    run(program, [gyp, 'rebuild', `--nodedir=${prefix}`, '--loglevel=error'], binding);
  }
  rmSync(join(home, '.build'), { recursive: true, force: true });
  cpSync(bundle, join(home, '.build', 'agent'), { recursive: true });
  cpSync(join(root, 'hardware-profiles'), join(home, 'hardware-profiles'), { recursive: true });
  cpSync(join(root, 'package.json'), join(home, 'package.json'));
  return join(home, '.build', 'agent', 'agent.js');
}

function run(program: string, commandLine: readonly string[], cwd: string): void {
  // node-gyp asks for a Node by name while it builds: it must be the same.
  const env = { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env['PATH'] ?? ''}` };
  const { status, stdout, stderr } = spawnSync(program, [...commandLine], { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${commandLine[0]} ended with ${status}: ${stdout}${stderr}`);
}
