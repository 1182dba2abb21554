/**
 * Opens a video file, or says why not and what to do.
 *
 * INVARIANTS
 * - No pipe, device or socket is opened: some do something when they are (a watchdog), others wait for ever.
 * - What was looked at is what is read: all is asked again of the open descriptor, should a link have been exchanged in between.
 */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import { type Container, containerOf, sniffedBytes } from '#device/media-host/file/container.ts';
import type { FilePlan } from '#device/plan/pipeline-plan.ts';

export type OpenedFile = {
  readonly kind: 'open';
  readonly handle: FileHandle;
  readonly container: Container;
  /** Equal for the same file in the same state. */
  readonly identity: string;
};
export type FileRefusal = { readonly kind: 'refused'; readonly reason: string };

const again = 'it plays by itself once it is there';
const reasons: Readonly<Record<string, string>> = {
  ENOENT: `is not there: put it there, ${again}`,
  ENOTDIR: `is not there: put it there, ${again}`,
  EACCES: 'may not be read: give the user of the agent the right to',
  EPERM: 'may not be read: give the user of the agent the right to',
  ELOOP: 'is a symbolic link that leads round in a circle',
  ENAMETOOLONG: 'has too long a name',
  ENXIO: 'is no ordinary file',
};

export async function openFile({ path, within }: Pick<FilePlan, 'path' | 'within'>): Promise<OpenedFile | FileRefusal> {
  const refuse = (what: string): FileRefusal => ({ kind: 'refused', reason: `the file ${path} ${what}` });
  let handle: FileHandle;
  try {
    const problem = kindProblem(await stat(path, { bigint: true }));
    if (problem !== null) return refuse(problem);
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    return refuse(reasons[code] ?? `cannot be opened (${code})`);
  }
  const checked = await look(handle, within).catch((cause: NodeJS.ErrnoException) => `cannot be read (${cause.code ?? cause.message})`);
  if (typeof checked !== 'string') return { kind: 'open', handle, ...checked };
  await handle.close();
  return refuse(checked);
}

function kindProblem(status: BigIntStats): string | null {
  if (status.isDirectory()) return 'is a folder: name a file in it';
  return status.isFile() ? null : 'is no ordinary file';
}

async function look(handle: FileHandle, within: string | null): Promise<Pick<OpenedFile, 'container' | 'identity'> | string> {
  const status = await handle.stat({ bigint: true });
  const problem = kindProblem(status);
  if (problem !== null) return problem;
  if (within !== null) {
    const [folder, real] = await Promise.all([realpath(within), readlink(`/proc/self/fd/${handle.fd}`)]);
    if (!real.startsWith(`${folder}/`)) return `leads out of ${within}: no file elsewhere can be chosen from afar`;
  }
  if (status.size === 0n) return 'is empty: copy it again';
  const head = Buffer.alloc(sniffedBytes);
  const { bytesRead } = await handle.read(head, 0, sniffedBytes, 0);
  const container = containerOf(head.subarray(0, bytesRead));
  if (container === null) return 'is no video that can be played: MP4, MOV, Matroska, WebM, Ogg, FLV, AVI and MPEG-TS can';
  return { container, identity: [status.dev, status.ino, status.size, status.mtimeNs].join(' ') };
}
