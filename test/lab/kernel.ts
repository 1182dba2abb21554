/**
 * Debian's kernel for the virtual machine: fetched as any package is, unpacked beside the system and never installed. Kept are the
 * image and the modules that the laboratory loads, in the user's cache, so that this happens once.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { moduleOrder, parseModuleDependencies } from './module-order.ts';
import { programPath, Unavailable } from './requirements.ts';

const run = promisify(execFile);

/** To reach the machine's own file system from the first one in memory. */
const bootModules: readonly string[] = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];
/** The hardware of the laboratory: cameras, a sound card, Wi-Fi radios, networks as bad as one likes, and sockets for USB webcams. */
const hardwareModules: readonly string[] = [
  ...['vivid', 'snd-aloop', 'mac80211_hwsim', 'veth', 'sch_netem'],
  ...['vhci-hcd', 'uvcvideo', 'snd-usb-audio'],
];

const metaPackage = 'linux-image-amd64';
/** 70 MB over a slow line. */
const fetchBoundMs = 10 * 60_000;
const unpackBoundMs = 3 * 60_000;

export type Kernel = {
  readonly image: string;
  readonly version: string;
  /** To be seen as /lib/modules/VERSION inside. */
  readonly modulesDirectory: string;
  /** In the order in which they are loaded. */
  readonly bootModules: readonly string[];
};

/** The kernel in the cache, fetched if need be. @throws Unavailable when it cannot be had here, and what `signal` throws */
export async function prepareKernel(say: (line: string) => void, signal: AbortSignal): Promise<Kernel> {
  const cache = cacheDirectory();
  // Another list of modules makes another directory: nothing in the cache is ever changed.
  const recipe = createHash('sha256').update(JSON.stringify([metaPackage, bootModules, hardwareModules]));
  const directory = join(cache, `kernel-${recipe.digest('hex').slice(0, 12)}`);
  if (!existsSync(directory)) {
    await mkdir(cache, { recursive: true });
    const workshop = await mkdtemp(join(cache, 'unpacking-'));
    try {
      await fetchKernel(workshop, say, signal);
      await keepWhatIsUsed(workshop, signal);
      await moveInto(join(workshop, 'kept'), directory);
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
  }
  return await readKernel(directory);
}

/** Of the laboratory, in the user's own. */
export function cacheDirectory(): string {
  const given = process.env['XDG_CACHE_HOME'];
  return join(given?.startsWith('/') ? given : join(homedir(), '.cache'), 'makespacelive', 'lab');
}

async function fetchKernel(workshop: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  try {
    const { stdout } = await run('apt-cache', ['depends', metaPackage]);
    const name = /^\s*Depends: (linux-image-\S+)$/m.exec(stdout)?.[1];
    if (name === undefined) throw new Error(`expected ${metaPackage} to depend on a kernel, came: ${stdout.slice(0, 200)}`);
    say(`fetching Debian's kernel (${name}, once, 70 MB)`);
    // apt gives up its rights for those of "_apt" where that user can write; elsewhere it only says so.
    await run('apt-get', ['download', '-q', name], { cwd: workshop, timeout: fetchBoundMs, signal });
  } catch (cause) {
    signal.throwIfAborted();
    const reason = cause instanceof Error ? (cause.message.split('\n').find((line) => line.startsWith('E: ')) ?? cause.message) : cause;
    throw new Unavailable(`the package ${metaPackage} could not be fetched (${String(reason).trim()}); "apt-get update" may help`);
  }
  const archive = (await readdir(workshop)).find((name) => name.endsWith('.deb')) ?? '';
  await run('dpkg-deb', ['--extract', join(workshop, archive), join(workshop, 'tree')], { timeout: unpackBoundMs, signal });
}

async function keepWhatIsUsed(workshop: string, signal: AbortSignal): Promise<void> {
  const tree = join(workshop, 'tree');
  const kept = join(workshop, 'kept');
  const [version = ''] = await readdir(join(tree, 'lib', 'modules'));
  const modules = join('lib', 'modules', version);
  await run(programPath('depmod'), ['-b', tree, version], { timeout: unpackBoundMs, signal });
  const dependencies = parseModuleDependencies(await readFile(join(tree, modules, 'modules.dep'), 'utf8'));
  const order = moduleOrder(dependencies, [...bootModules, ...hardwareModules]);
  if (order.kind === 'missing') throw new Unavailable(`the kernel ${version} has no module ${order.names.join(', ')}`);
  const files = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo', ...order.paths].map((path) => join(modules, path));
  for (const file of [...files, join('boot', `vmlinuz-${version}`)]) {
    await mkdir(dirname(join(kept, file)), { recursive: true });
    await copyFile(join(tree, file), join(kept, file));
  }
  await run(programPath('depmod'), ['-b', kept, version], { timeout: unpackBoundMs, signal });
}

/** Somebody else may have made the same at the same time: then theirs is as good. */
export async function moveInto(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (cause) {
    if (!existsSync(to)) throw cause;
  }
}

async function readKernel(directory: string): Promise<Kernel> {
  const [version = ''] = await readdir(join(directory, 'lib', 'modules'));
  const modulesDirectory = join(directory, 'lib', 'modules', version);
  const order = moduleOrder(parseModuleDependencies(await readFile(join(modulesDirectory, 'modules.dep'), 'utf8')), bootModules);
  if (order.kind === 'missing') throw new Error(`expected ${order.names.join(', ')} in ${modulesDirectory}: remove ${directory}`);
  return {
    image: join(directory, 'boot', `vmlinuz-${version}`),
    version,
    modulesDirectory,
    bootModules: order.paths.map((path) => join(modulesDirectory, path)),
  };
}
