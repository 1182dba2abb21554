/**
 * nginx as a group of processes: a master and its workers. When the master is killed, its workers go on and keep the port, so
 * whatever ends the relay ends the group. Read from /proc (proc(5)), because an adopted nginx is nobody's child here.
 */
import { readdir, readFile } from 'node:fs/promises';

/** The living nginx processes of the group that this master leads, or led. */
export async function groupMembers(masterId: number): Promise<number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const members: number[] = [];
  for (const name of names) {
    const found = await readProcess(Number(name));
    if (found?.groupId === masterId && found.command === 'nginx' && found.isAlive) members.push(Number(name));
  }
  return members;
}

/** Whether this process lives and is an nginx that was started with our own prefix. */
export async function isOurMaster(processId: number, prefix: string): Promise<boolean> {
  const found = await readProcess(processId);
  if (found === undefined || !found.isAlive || found.command !== 'nginx') return false;
  const commandLine = await readFile(`/proc/${processId}/cmdline`, 'utf8').catch(() => '');
  return commandLine.includes(prefix);
}

/** Sends the signal to every member; one that has gone meanwhile is no error. */
export async function signalGroup(masterId: number, signal: NodeJS.Signals): Promise<void> {
  for (const processId of await groupMembers(masterId)) {
    try {
      process.kill(processId, signal);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
    }
  }
}

async function readProcess(processId: number) {
  const text = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => undefined);
  // The command stands in parentheses and may hold anything; state, parent and group follow the last one.
  const match = text === undefined ? null : /^\d+ \((.*)\) (\S) \d+ (\d+) /s.exec(text);
  if (match === null) return undefined;
  const [, command = '', state = '', groupId = ''] = match;
  return { command, isAlive: state !== 'Z' && state !== 'X', groupId: Number(groupId) };
}
