/** The operating system's side of the media host: how it is started and how it is ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { mediaHostProgram } from '#device/installation.ts';
import { mediaHostNodeFlags } from '#device/lean-node.ts';
import { hostFiles } from '#device/media/host-files.ts';

/** One thread of the pool for each of 16 outputs, seven for each of two captures, two for the previews, and Node's own four, with two to spare. */
const threadPoolSize = 38;

/** What GStreamer and its plug-ins read. Everything else stays out: our own environment may hold the stream key and the join token. */
const passedOn =
  /^(?:PATH|HOME|USER|TMPDIR|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|XDG_\w+|GST_(?!DEBUG)\w+|LIBCAMERA_\w+|ALSA_\w+|PULSE_\w+|GIO_\w+)$/;

/** For children that run GStreamer. */
export function passedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => passedOn.test(name)));
}

/**
 * Not detached: one process group with the agent, so that a terminal's Ctrl-C reaches both. `directory`: of its socket, which may be in
 * memory. Recordings go to the state directory unless the plan names a place, and compiled code unless NODE_COMPILE_CACHE names a folder.
 */
export function spawnHost(directory: string, stateDirectory: string = directory): ChildProcess {
  const { compileCache, recordings } = hostFiles(stateDirectory);
  return spawn(process.execPath, [...mediaHostNodeFlags, mediaHostProgram, directory], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...passedEnvironment(),
      UV_THREADPOOL_SIZE: String(threadPoolSize),
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] || compileCache,
      RECORDINGS_DIRECTORY: recordings,
      // GStreamer's threads would each have an arena of their own, of which none is given back.
      MALLOC_ARENA_MAX: '2',
      // RTMP goes straight to its target: the libraries that would ask a desktop for a proxy stay unloaded.
      GIO_USE_PROXY_RESOLVER: 'dummy',
      GSETTINGS_BACKEND: 'memory',
    },
  });
}

/** The media host that left its id in this state directory, if it still is one: ids are used again. */
export async function findHost(stateDirectory: string): Promise<number | null> {
  const processId = Number(await readOrEmpty(hostFiles(stateDirectory).processId));
  if (!Number.isInteger(processId) || processId <= 1) return null;
  const commandLine = (await readOrEmpty(`/proc/${processId}/cmdline`)).split('\0');
  return commandLine.some((part) => part.includes('media-host')) && commandLine.includes(stateDirectory) ? processId : null;
}

/** A process that has ended counts as gone even where nobody takes note of it (in a container whose first process reaps none). */
export function isAlive(processId: number): boolean {
  if (!signal(processId, 0)) return false;
  try {
    // The state stands behind the command's name, which is in brackets and may hold anything.
    return !readFileSync(`/proc/${processId}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

export function killHard(processId: number): void {
  signal(processId, 'SIGKILL');
}

function signal(processId: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(processId, name);
  } catch {
    // It is gone, which is what both callers want to know.
    return false;
  }
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
