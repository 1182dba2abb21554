/**
 * Who changed what, from what to what.
 *
 * INVARIANTS
 * - An entry is written in the transaction of what it tells of: one is not there without the other.
 * - Nothing in the API changes or deletes an entry; the newest `maxKept` stay.
 * - A secret is never in it, only that it was set, replaced or removed.
 */
import { type AuditQuery, auditRows, insertAuditRow, lastSignInRows, pruneAuditRows } from '#fleet-server/audit/audit-store.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import type { AuditChange, AuditPage } from '#protocol/model/audit.ts';

export type AuditAction =
  | 'signed-in'
  | 'sign-in-refused'
  | 'password-changed'
  | 'person-added'
  | 'person-changed'
  | 'person-removed'
  | 'token-made'
  | 'token-removed'
  | 'join-token-made'
  | 'join-token-removed'
  | 'device-joined'
  | 'device-approved'
  | 'device-rejected'
  | 'device-blocked'
  | 'device-let-in-again'
  | 'device-board-changed'
  | 'device-changed'
  | 'devices-tagged'
  | 'device-removed'
  | 'credential-changed'
  | 'settings-changed'
  | 'rollout-begun'
  | 'rollout-halted'
  | 'rollout-resumed'
  | 'rollout-completed'
  | 'rollout-rolled-back'
  | 'command-requested'
  | 'maintenance-created'
  | 'maintenance-changed'
  | 'maintenance-ended'
  | 'watchdog-policy-changed'
  | 'command-withdrawn'
  | 'alert-rule-added'
  | 'alert-rule-changed'
  | 'alert-rule-removed'
  | 'alert-channel-added'
  | 'alert-channel-changed'
  | 'alert-channel-removed';

export type NewAuditEntry = {
  readonly actor: string;
  readonly action: AuditAction;
  readonly subject: string;
  readonly changes?: readonly AuditChange[];
};

const maxKept = 100_000;
const pruneEvery = 500;
const maxShownLength = 500;

export class AuditLog {
  readonly #clock: Clock;
  #sincePrune = 0;

  constructor(options: { readonly clock: Clock }) {
    this.#clock = options.clock;
  }

  async append(database: Database, { actor, action, subject, changes = [] }: NewAuditEntry): Promise<void> {
    const shown = changes.map(({ field, before, after }) => ({ field, before: cut(before), after: cut(after) }));
    await insertAuditRow(database, { atMs: this.#clock.nowMs(), actor, action, subject, changes: JSON.stringify(shown) });
    this.#sincePrune += 1;
    if (this.#sincePrune < pruneEvery) return;
    this.#sincePrune = 0;
    await pruneAuditRows(database, maxKept);
  }

  /** When each of these people signed in last; without whom the log does not know. */
  async lastSignIns(database: Database, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (names.length === 0) return new Map();
    const rows = await lastSignInRows(database, names);
    return new Map(rows.map(({ actor, atMs }) => [actor, Number(atMs)]));
  }

  /** `nameOf`: of a device, now. */
  async page(database: Database, query: AuditQuery, nameOf: (deviceId: string) => string | null): Promise<AuditPage> {
    const rows = await auditRows(database, query);
    const shown = rows.slice(0, query.limit);
    return {
      entries: shown.map(({ id, atMs, actor, action, subject, changes }) => ({
        id,
        at: timestamp(atMs),
        actor,
        action,
        subject,
        subjectName: nameOf(subject),
        changes: JSON.parse(changes) as AuditChange[],
      })),
      next: rows.length > query.limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }
}

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, maxShownLength);
}

/** A value in the log; null for what is not set. */
export function shown(value: unknown): string | null {
  return value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
}

export const hiddenSecret = '(secret)';
