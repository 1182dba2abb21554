/** What the watchdog did before, as the history tells it. */
import { watchdogEntriesSince } from '#fleet-server/history/history-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import type { Act } from '#fleet-server/watchdog/decide.ts';
import { watchdogCommands } from '#protocol/model/watchdog.ts';

export async function actsSince(database: Database, sinceMs: number): Promise<ReadonlyMap<string, readonly Act[]>> {
  const acts = new Map<string, Act[]>();
  for (const { deviceId, kind, atMs } of await watchdogEntriesSince(database, sinceMs)) {
    const command = watchdogCommands.find((known) => kind === `watchdog-${known}`);
    if (command === undefined) continue;
    const act: Act = { command, fault: null, atMs };
    const known = acts.get(deviceId);
    if (known === undefined) acts.set(deviceId, [act]);
    else known.push(act);
  }
  return acts;
}
