/**
 * INVARIANT: in memory `sinceMs` is a steady time (clock.ts), in the store the time of day that belongs to it.
 *
 * Since when something is wrong, over a restart and from one leader to the next: a rule of hours would else begin anew with each. The server's
 * own time is kept: what a device says of when a thing began is true by the device's clock alone. What comes and goes is not written.
 */
import { listPendings, writePendings } from '#fleet-server/alerts/alerts-store.ts';
import { type AlertsMemory, calmMs, type Pending } from '#fleet-server/alerts/decide.ts';
import { steadySince } from '#fleet-server/clock.ts';
import type { AlertPendingsTable, Database } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

type Kept = ReadonlyMap<string, Pick<Pending, 'sinceMs' | 'gatheredAs'>>;

export class Pendings {
  readonly #database: Database;
  /** As the store has it. */
  #kept: Kept = new Map();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Everything as if it were seen now: what is over is so once it is calm. */
  async read(nowMs: number, steadyNowMs: number): Promise<AlertsMemory> {
    const rows = await listPendings(this.#database);
    const kept = rows.map(
      ({ key, sinceMs, gatheredAs }) => [key, { sinceMs: steadySince(sinceMs, nowMs, steadyNowMs), gatheredAs }] as const,
    );
    this.#kept = new Map(kept);
    return new Map(kept.map(([key, pending]) => [key, { ...pending, lastSeenMs: steadyNowMs }]));
  }

  /** What is new of it since it was written or read last. */
  async write(memory: AlertsMemory, nowMs: number, steadyNowMs: number): Promise<void> {
    const next = new Map<string, Pick<Pending, 'sinceMs' | 'gatheredAs'>>();
    const rows: AlertPendingsTable[] = [];
    for (const [key, { sinceMs, gatheredAs }] of memory) {
      if (gatheredAs === null && steadyNowMs - sinceMs < calmMs) continue;
      const before = this.#kept.get(key);
      next.set(key, { sinceMs, gatheredAs });
      if (before?.sinceMs !== sinceMs || before.gatheredAs !== gatheredAs)
        rows.push({ key, sinceMs: nowMs - (steadyNowMs - sinceMs), gatheredAs });
    }
    const gone = [...this.#kept.keys()].filter((key) => !next.has(key));
    if (rows.length + gone.length > 0) {
      await inTransaction(this.#database, (transaction) => writePendings(transaction, { rows, gone }));
    }
    this.#kept = next;
  }
}
