/**
 * How long alerts still wait for somebody to acknowledge them, before others are told.
 *
 * INVARIANTS
 * - Only time counts that a leading server has measured, and that in which somebody knew of the alert: quiet hours and the time in which no server
 *   ran do not. So no clock that is set, and no other server's, brings an escalation forward or holds it up.
 * - What has passed is in the store within `writeEveryMs`: after a restart, and at the server that leads next, it goes on from there, never sooner
 *   than asked for.
 */
import { untoldAlerts, writeEscalateIn } from '#fleet-server/alerts/alerts-store.ts';
import type { AlertsTable, Database } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';

const writeEveryMs = 5000;

export class Escalations {
  readonly #database: Database;
  /** By the alert's id, in milliseconds. */
  #left: ReadonlyMap<string, number> = new Map();
  #countedAtMs = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whoever counts next begins with what stands in the store. */
  forget(): void {
    this.#left = new Map();
  }

  /** Those whose time is over, as long as nobody escalates them. `steadyNowMs`: by `steadyTime` (clock.ts). */
  async due(
    unresolved: readonly AlertsTable[],
    { nowMs, steadyNowMs }: { readonly nowMs: number; readonly steadyNowMs: number },
  ): Promise<readonly AlertsTable[]> {
    const waiting = unresolved.flatMap((row) => (row.escalateInMs === null ? [] : [{ row, storedMs: row.escalateInMs }]));
    const untold = new Set(waiting.length === 0 ? [] : await untoldAlerts(this.#database, nowMs));
    const passedMs = steadyNowMs - this.#countedAtMs;
    const left = new Map<string, number>();
    const toWrite = new Map<number, string[]>();
    for (const { row, storedMs } of waiting) {
      const { id } = row;
      const before = this.#left.get(id);
      const countedMs = before === undefined || untold.has(id) ? 0 : passedMs;
      // Where two servers count, what either has measured has passed.
      const leftMs = Math.max(0, Math.min(storedMs, (before ?? storedMs) - countedMs));
      left.set(id, leftMs);
      if (storedMs - leftMs < writeEveryMs) continue;
      const ids = toWrite.get(leftMs);
      if (ids === undefined) toWrite.set(leftMs, [id]);
      else ids.push(id);
    }
    this.#left = left;
    this.#countedAtMs = steadyNowMs;
    if (toWrite.size > 0)
      await inTransaction(this.#database, async (transaction) => {
        for (const [leftMs, ids] of toWrite) await writeEscalateIn(transaction, ids, leftMs);
      });
    return waiting.flatMap(({ row }) => (left.get(row.id) === 0 ? [row] : []));
  }
}
