/**
 * Maintenance windows: who is in one at this moment.
 *
 * INVARIANT: what another server on the same database changed is known here within `readAgainMs`, and at once when its message arrives.
 */
import { randomUUID } from 'node:crypto';
import { isTimeZone } from '#fleet-server/alerts/quiet-hours.ts';
import type { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { Log } from '#fleet-server/log.ts';
import * as store from '#fleet-server/maintenance/maintenance-store.ts';
import { isOver, openUntilMs } from '#fleet-server/maintenance/schedule.ts';
import type { Database, MaintenanceWindowsTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { Change } from '#protocol/model/change.ts';
import type { DeviceMaintenance, MaintenanceRequest, MaintenanceScope, MaintenanceWindow } from '#protocol/model/maintenance.ts';

const readAgainMs = 10_000;
const lookMs = 1000;
const maxWindows = 200;
/** One that is over stays to be looked at for so long. */
const keptMs = 30 * 86_400_000;
/** Longer ones are forgotten, and silence a fleet for good. */
const longestOnceMs = 31 * 86_400_000;

type Known = { readonly row: MaintenanceWindowsTable; readonly request: MaintenanceRequest };
type Open = {
  readonly id: string;
  /** A window that was changed opens anew. */
  readonly document: string;
  readonly scope: MaintenanceScope;
  readonly reason: string;
  readonly untilMs: number;
};

export type MaintenanceOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditLog;
  isLeader(): boolean;
  publishChange(change: Change): void;
};

export class Maintenance {
  readonly #options: MaintenanceOptions;
  #known: readonly Known[] = [];
  #open: readonly Open[] = [];
  /** By the time of day. */
  #lookedAtMs = 0;
  #cancels: (() => void)[] = [];
  #reading: Promise<void> | null = null;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { clock } = this.#options;
    await this.#read();
    this.#cancels = [clock.every(readAgainMs, () => this.readAgain()), clock.every(lookMs, () => this.#look())];
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    await this.#reading;
  }

  /** Another server may have changed them. */
  readAgain(): void {
    this.#reading ??= this.#read()
      .catch((err: unknown) => this.#options.log.error({ err }, 'maintenance windows could not be read'))
      .finally(() => {
        this.#reading = null;
      });
  }

  /**
   * The group is called otherwise in the store now. At once, so that whoever renames its devices as well leaves no moment in which they are in none
   * of its windows; what the store has is read after that.
   */
  renameGroup(from: string, to: string): Promise<void> {
    this.#known = this.#known.map(({ row, request }) => ({ row, request: store.withGroupRenamed(request, from, to) }));
    this.#open = this.#open.map((open) => store.withGroupRenamed(open, from, to));
    return this.#read();
  }

  async list(): Promise<MaintenanceWindow[]> {
    return (await store.listWindows(this.#options.database)).map((row) => this.#toWindow(row));
  }

  async create(request: MaintenanceRequest, actor: string): Promise<MaintenanceWindow> {
    const { database, clock, audit } = this.#options;
    const nowMs = clock.nowMs();
    check(request, nowMs);
    const row: MaintenanceWindowsTable = { id: randomUUID(), ...columnsOf(request), createdAtMs: nowMs, createdBy: actor };
    await inTransaction(database, async (transaction) => {
      await store.pruneWindows(transaction, nowMs - keptMs);
      if ((await store.listWindows(transaction)).length >= maxWindows) {
        throw new FleetError('too-many', `Expected at most ${maxWindows} maintenance windows: end some first.`);
      }
      await store.insertWindow(transaction, row);
      const changes = [{ field: 'window', before: null, after: row.document }];
      await audit.append(transaction, { actor, action: 'maintenance-created', subject: row.scope || 'fleet', changes });
    });
    await this.#changed();
    return this.#toWindow(row);
  }

  /** Who planned it stays; what it says counts from now on, also where it is open. */
  async change(id: string, request: MaintenanceRequest, actor: string): Promise<MaintenanceWindow> {
    const { database, clock, audit } = this.#options;
    check(request, clock.nowMs());
    const row = await inTransaction(database, async (transaction) => {
      const before = await store.findWindow(transaction, id);
      if (before === undefined) throw noWindow();
      const row = { ...before, ...columnsOf(request) };
      if (row.document === before.document) return row;
      await store.updateWindow(transaction, row);
      const changes = [{ field: 'window', before: before.document, after: row.document }];
      await audit.append(transaction, { actor, action: 'maintenance-changed', subject: row.scope || 'fleet', changes });
      return row;
    });
    await this.#changed();
    return this.#toWindow(row);
  }

  /** Whether it is open or still to come: it is no more. */
  async end(id: string, actor: string): Promise<void> {
    const { database, audit } = this.#options;
    await inTransaction(database, async (transaction) => {
      const row = await store.deleteWindow(transaction, id);
      if (row === undefined) throw noWindow();
      const changes = [{ field: 'window', before: row.document, after: null }];
      await audit.append(transaction, { actor, action: 'maintenance-ended', subject: row.scope || 'fleet', changes });
    });
    await this.#changed();
  }

  /** Of the open windows that a device is in, the one that ends last; null: it is in none. */
  of(deviceId: string, group: string | null): DeviceMaintenance | null {
    const last = this.#open
      .filter(({ scope }) => isIn(scope, deviceId, group))
      .reduce<Open | null>((found, open) => (found === null || open.untilMs > found.untilMs ? open : found), null);
    return last === null ? null : { windowId: last.id, until: timestamp(last.untilMs), reason: last.reason };
  }

  isAnyOpen(): boolean {
    return this.#open.length > 0;
  }

  /** What is the whole fleet's, its relay too, is in one. */
  isWholeFleet(): boolean {
    return this.#open.some(({ scope }) => scope.kind === 'fleet');
  }

  async #changed(): Promise<void> {
    await this.#read();
    this.#options.publishChange({ subject: 'maintenance' });
  }

  async #read(): Promise<void> {
    const rows = await store.listWindows(this.#options.database);
    this.#known = rows.map((row) => ({ row, request: JSON.parse(row.document) as MaintenanceRequest }));
    this.#look();
  }

  #look(): void {
    const nowMs = this.#options.clock.nowMs();
    const before = this.#open;
    // Of a clock that was set back: what was open by it may not have begun yet.
    const isEarlier = nowMs < this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    this.#open = this.#known.flatMap(({ row, request }) => {
      const isStillOpen = ({ id, document, untilMs }: Open) => id === row.id && document === row.document && untilMs > nowMs;
      const known = isEarlier ? undefined : before.find(isStillOpen);
      const untilMs = known?.untilMs ?? openUntilMs(request.schedule, nowMs);
      return untilMs === null ? [] : [{ id: row.id, document: row.document, scope: request.scope, reason: request.reason, untilMs }];
    });
    const ids = (open: readonly Open[]) => open.map(({ id }) => id).join(' ');
    // Every server sees it come and go by its own clock: one of them tells.
    if (ids(before) !== ids(this.#open) && this.#options.isLeader()) this.#options.publishChange({ subject: 'maintenance' });
  }

  #toWindow(row: MaintenanceWindowsTable): MaintenanceWindow {
    const request = JSON.parse(row.document) as MaintenanceRequest;
    const untilMs = openUntilMs(request.schedule, this.#options.clock.nowMs());
    return {
      id: row.id,
      ...request,
      createdAt: timestamp(row.createdAtMs),
      createdBy: row.createdBy,
      openUntil: untilMs === null ? null : timestamp(untilMs),
    };
  }
}

function isIn(scope: MaintenanceScope, deviceId: string, group: string | null): boolean {
  switch (scope.kind) {
    case 'fleet':
      return true;
    case 'group':
      return scope.name === group;
    case 'device':
      return scope.id === deviceId;
    default:
      return scope satisfies never;
  }
}

function noWindow(): FleetError {
  return new FleetError('not-found', 'Expected the id of a maintenance window.');
}

function columnsOf(request: MaintenanceRequest): Pick<MaintenanceWindowsTable, 'level' | 'scope' | 'document' | 'overAtMs'> {
  const { schedule, scope } = request;
  return {
    level: scope.kind,
    scope: scopeText(scope),
    document: JSON.stringify(request),
    overAtMs: schedule.kind === 'once' ? Date.parse(schedule.to) : null,
  };
}

function scopeText(scope: MaintenanceScope): string {
  return scope.kind === 'fleet' ? '' : scope.kind === 'group' ? scope.name : scope.id;
}

function check({ schedule }: MaintenanceRequest, nowMs: number): void {
  if (schedule.kind === 'weekly') {
    if (isTimeZone(schedule.timeZone)) return;
    throw wrong('timeZone', 'a time zone such as Europe/Berlin', schedule.timeZone);
  }
  const lengthMs = Date.parse(schedule.to) - Date.parse(schedule.from);
  if (!(lengthMs > 0 && lengthMs <= longestOnceMs)) throw wrong('to', 'an end after its beginning, and within 31 days of it', schedule.to);
  if (isOver(schedule, nowMs)) throw wrong('to', 'an end that is still to come', schedule.to);
}

function wrong(field: string, expected: string, came: string): FleetError {
  const problems = [{ key: `body/schedule/${field}`, expected, came }];
  return new FleetError('wrong-fields', `Expected ${expected} in schedule.${field}, got ${JSON.stringify(came)}.`, { problems });
}
