/** What fleet servers leave running: the relay of one that was killed goes on, that is its purpose. */
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runtimePaths } from '#fleet-server/relay/runtime-directory.ts';
import { endProcess, type FoundProcess, processesWith } from '../processes.ts';
import { until } from '../until.ts';

/** Of root the relay's files lie outside of the data directory, and nginx has no environment that would name it. */
async function relaysOf(folder: string): Promise<readonly string[]> {
  const inside = await readdir(folder, { withFileTypes: true });
  const dataDirectories = [folder, ...inside.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))];
  const place = { isRoot: process.getuid?.() === 0, systemTemporaryDirectory: tmpdir() };
  return dataDirectories.map((dataDirectory) => runtimePaths({ dataDirectory, ...place }).base);
}

/** Processes of the servers whose data directory is `folder` or in it, and of their relays. */
export async function leftBehind(folder: string): Promise<readonly FoundProcess[]> {
  const found = [folder, ...(await relaysOf(folder))].flatMap((place) => processesWith(place));
  return [...new Map(found.map((one) => [one.pid, one])).values()];
}

/** Call it before the folder is removed. */
export async function endAllOf(folder: string): Promise<void> {
  for (const { pid } of await leftBehind(folder)) endProcess(pid, 'SIGTERM');
  await until('no process left', 10_000, async () => (await leftBehind(folder)).length === 0);
  for (const relay of await relaysOf(folder)) await rm(relay, { recursive: true, force: true });
}
