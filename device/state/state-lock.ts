/**
 * One agent a state directory. The lock names the process by its id, its start time and the boot, so that one left by
 * kill -9 or a power cut is taken over even when the id has been given to another process since (in a container it is
 * always the same).
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

const Holder = Type.Object({ processId: Type.Integer({ minimum: 1 }), startTicks: Type.String(), bootId: Type.String() });
type Holder = Static<typeof Holder>;
const holderValidator = Compile(Holder);

export type LockOutcome =
  | { readonly kind: 'held'; readonly release: () => Promise<void> }
  | { readonly kind: 'busy'; readonly processId: number };

const maxTries = 5;
const lockName = 'agent.lock';

export async function lockStateDirectory(directory: string): Promise<LockOutcome> {
  const path = join(directory, lockName);
  const mine = `${path}.${process.pid}`;
  const me: Holder = { processId: process.pid, startTicks: await startTicks(process.pid), bootId: await readBootId() };
  const content = JSON.stringify(me);
  await writeFile(mine, content, { mode: 0o600 });
  try {
    for (let attempt = 1; attempt <= maxTries; attempt += 1) {
      if (await linkIfFree(mine, path)) return { kind: 'held', release: () => release(path, content) };
      const found = await readFile(path, 'utf8').catch(() => '');
      const holder = parseHolder(found);
      if (holder !== undefined && (await isAlive(holder, me))) return { kind: 'busy', processId: holder.processId };
      await removeStale(path, found);
    }
    return { kind: 'busy', processId: 0 };
  } finally {
    await rm(mine, { force: true });
  }
}

async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw cause;
  }
}

/** Takes the stale lock away; when another agent was quicker and this is its new one, it is put back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const taken = `${path}.stale.${process.pid}`;
  try {
    await rename(path, taken);
  } catch {
    // Somebody else took it away first: the next try decides.
    return;
  }
  const content = await readFile(taken, 'utf8').catch(() => '');
  if (content !== stale) await linkIfFree(taken, path);
  await rm(taken, { force: true });
}

async function release(path: string, content: string): Promise<void> {
  const found = await readFile(path, 'utf8').catch(() => '');
  if (found === content) await rm(path, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return holderValidator.Check(value) ? value : undefined;
  } catch {
    // Half a lock, from a power cut: nobody holds it.
    return undefined;
  }
}

async function isAlive(holder: Holder, me: Holder): Promise<boolean> {
  if (holder.processId === me.processId && holder.startTicks !== me.startTicks) return false;
  if (holder.bootId !== me.bootId) return false;
  try {
    process.kill(holder.processId, 0);
  } catch (cause) {
    const isOthers = cause instanceof Error && 'code' in cause && cause.code === 'EPERM';
    if (!isOthers) return false;
  }
  return (await startTicks(holder.processId)) === holder.startTicks;
}

/** proc(5): field 22 of stat, clock ticks between boot and the start of the process; empty when there is no such process. */
async function startTicks(processId: number): Promise<string> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => '');
  // The program's name stands in brackets and may itself hold brackets and spaces: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[19] ?? '';
}

/** One random name a boot of the kernel. */
export async function readBootId(): Promise<string> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return text.trim() === '' ? 'unknown-boot' : text.trim();
}
