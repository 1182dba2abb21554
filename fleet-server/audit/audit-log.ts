/**
 * Who changed what, from what to what.
 *
 * INVARIANTS
 * - An entry is written in the transaction of what it tells of: one is not there without the other.
 * - Nothing in the API changes or deletes an entry. A year is kept, and the newest `leastKept` whatever their age; `mostKept` bounds what that may
 *   take, and when it does the log and an entry of its own say so. How fast anybody can write is bounded in people/write-allowance.ts.
 * - A secret is never in it, only that it was set, replaced or removed.
 */
import {
  type AuditQuery,
  type AuditRow,
  auditRows,
  deleteRowsBefore,
  firstIdSince,
  insertAuditRow,
  lastSignInRows,
  newestId,
} from '#fleet-server/audit/audit-store.ts';
import { shownChange } from '#fleet-server/audit/older-entries.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
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
  | 'devices-moved'
  | 'group-renamed'
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
  | 'alert-channel-removed'
  | 'alert-acknowledged'
  | 'audit-log-shortened';

export type NewAuditEntry = {
  readonly actor: string;
  readonly action: AuditAction;
  readonly subject: string;
  readonly changes?: readonly AuditChange[];
};

export const auditPolicy = {
  keptMs: 365 * 86_400_000,
  leastKept: 100_000,
  /** An entry takes 0.3 KB as a rule, and less than 10 KB whatever is in it. */
  mostKept: 1_000_000,
  /** At a server's first entry, and then after so many of it. */
  pruneEvery: 500,
} as const;
const saidAgainMs = 86_400_000;
/** A rule for alerts with all that it may hold is longer than a thousand. */
const maxShownLength = 2000;
/** All values of an entry together. */
const maxEntryLength = 8000;

export type AuditLogOptions = {
  readonly clock: Clock;
  /** Null: entries are only written, by a program that ends at once. */
  readonly log: Log | null;
  /** For tests. */
  readonly policy?: { readonly keptMs: number; readonly leastKept: number; readonly mostKept: number; readonly pruneEvery: number };
};

export class AuditLog {
  readonly #clock: Clock;
  readonly #log: Log | null;
  readonly #policy: NonNullable<AuditLogOptions['policy']>;
  #untilPrune = 0;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #dropped = 0;

  constructor({ clock, log, policy = auditPolicy }: AuditLogOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#policy = policy;
  }

  /** Entries that went before their time, since this server started. */
  get dropped(): number {
    return this.#dropped;
  }

  async append(database: Database, { actor, action, subject, changes = [] }: NewAuditEntry): Promise<void> {
    await insertAuditRow(database, { atMs: this.#clock.nowMs(), actor, action, subject, changes: JSON.stringify(shownChanges(changes)) });
    if (this.#log === null) return;
    this.#untilPrune -= 1;
    if (this.#untilPrune > 0) return;
    this.#untilPrune = this.#policy.pruneEvery;
    await this.#prune(database, this.#log);
  }

  async #prune(database: Database, log: Log): Promise<void> {
    const { keptMs, leastKept, mostKept } = this.#policy;
    const nowMs = this.#clock.nowMs();
    const newest = await newestId(database);
    if (newest === undefined) return;
    const young = (await firstIdSince(database, nowMs - keptMs)) ?? newest;
    await deleteRowsBefore(database, Math.min(young, newest - leastKept + 1));
    const dropped = await deleteRowsBefore(database, newest - mostKept + 1);
    this.#dropped += dropped;
    if (dropped === 0 || nowMs - this.#saidAtMs < saidAgainMs) return;
    this.#saidAtMs = nowMs;
    log.error(
      { code: 'audit-log-full', mostKept },
      'the audit log holds all that it may: entries younger than a year are dropped, the oldest first',
    );
    const changes = [{ field: 'most entries', before: null, after: String(mostKept) }];
    const row: AuditRow = {
      atMs: nowMs,
      actor: theServer,
      action: 'audit-log-shortened',
      subject: 'audit log',
      changes: JSON.stringify(changes),
    };
    await insertAuditRow(database, row);
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
        changes: (JSON.parse(changes) as AuditChange[]).map((change) => shownChange(action, change)),
      })),
      next: rows.length > query.limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }
}

function shownChanges(changes: readonly AuditChange[]): readonly AuditChange[] {
  const shown: AuditChange[] = [];
  let length = 0;
  for (const [index, { field, before, after }] of changes.entries()) {
    const one = { field, before: cut(before), after: cut(after) };
    length += (one.before?.length ?? 0) + (one.after?.length ?? 0);
    if (length > maxEntryLength) {
      const rest = changes.slice(index).map((change) => change.field);
      return [...shown, { field: 'too long to be kept', before: null, after: shownMany(rest) }];
    }
    shown.push(one);
  }
  return shown;
}

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, maxShownLength);
}

export function countedDevices(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`;
}

/** Names or ids in one order, as many as there is room for. */
export function shownMany(texts: readonly string[]): string {
  const named: string[] = [];
  let length = 0;
  for (const text of texts.toSorted()) {
    length += text.length + 2;
    if (length > maxShownLength - 20) break;
    named.push(text);
  }
  const more = texts.length - named.length;
  return more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`;
}

/** A value in the log; null for what is not set. */
export function shown(value: unknown): string | null {
  return value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
}

export const theServer = 'the fleet server';
export const hiddenSecret = '(secret)';
