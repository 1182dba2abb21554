/** The server is killed (SIGKILL) at random moments under writes, again and again on one data directory. */
import { setTimeout as pause } from 'node:timers/promises';
import { storePath } from '#fleet-server/store/store.ts';
import { until } from '../../until.ts';
import { endAllOf } from '../left-behind.ts';
import { environmentFor, startServer } from '../running-server.ts';
import { missingIn, password, signIn, Writer } from './writes.ts';

export type KillFigures = { readonly acknowledged: number; readonly missing: readonly string[]; readonly startsMs: readonly number[] };

/** Of the moment after the first writes of a round. */
const latestKillMs = 400;

export async function killUnderWrites(directory: string, kills: number): Promise<KillFigures> {
  const environment = await environmentFor(directory, { FLEET_ADMIN_PASSWORD: password, FLEET_LOG_LEVEL: 'silent' });
  const writers = [new Writer(), new Writer()];
  const missing: string[] = [];
  const startsMs: number[] = [];
  let cookie = '';
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const begin = performance.now();
      const server = startServer(environment);
      const { url } = await server.ready;
      startsMs.push(performance.now() - begin);
      if (cookie === '') cookie = await signIn(url);
      const before = writers.map(({ acknowledged }) => acknowledged.length);
      for (const writer of writers) writer.start(url, cookie);
      await until('writes of this round', 20_000, () =>
        writers.every(({ acknowledged }, index) => acknowledged.length > (before[index] ?? 0)),
      );
      // The very subject of the test: a moment that nobody chose.
      await pause(Math.random() * latestKillMs);
      server.child.kill('SIGKILL');
      await server.exit;
      for (const writer of writers) await writer.stop();
      missing.push(...writers.flatMap((writer) => missingIn(storePath(directory), writer.kept())));
    }
  } finally {
    await endAllOf(directory);
  }
  return { acknowledged: writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0), missing, startsMs };
}
