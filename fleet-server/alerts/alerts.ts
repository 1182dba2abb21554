/**
 * Keeps the alerts that there should be, and tells whom it concerns.
 *
 * INVARIANTS
 * - An alert and what is to be told of it are written in one transaction; a restart forgets neither.
 * - For how long something has lasted is measured; the time of day is for people, and for quiet hours.
 * - Recovery is told to those who were told of the trouble, and to nobody else.
 * - In a rule's quiet hours nobody is told anything.
 */
import { randomUUID } from 'node:crypto';
import { endOf } from '#fleet-server/alerts/alert-end.ts';
import { toAlert } from '#fleet-server/alerts/alert-view.ts';
import * as store from '#fleet-server/alerts/alerts-store.ts';
import {
  type AlertsMemory,
  decideAlerts,
  type Finding,
  type FleetFacts,
  membersOf,
  silencedBy,
  subjectOf,
} from '#fleet-server/alerts/decide.ts';
import { Escalations } from '#fleet-server/alerts/escalations.ts';
import { NoticeTeller, type NoticeTellerOptions } from '#fleet-server/alerts/notice-teller.ts';
import { Pendings } from '#fleet-server/alerts/pendings.ts';
import { quietUntilMs } from '#fleet-server/alerts/quiet-hours.ts';
import type { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { steadyTime } from '#fleet-server/clock.ts';
import { findDevice } from '#fleet-server/devices/devices-store.ts';
import type { AlertNoticesTable, AlertsTable, Database } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { Alert, AlertList, AlertNotice, AlertRule } from '#protocol/model/alert.ts';
import type { Change } from '#protocol/model/change.ts';

export type AlertsOptions = NoticeTellerOptions & {
  readonly audit: Pick<AuditLog, 'append'>;
  isLeader(): boolean;
  facts(): FleetFacts;
  publishChange(change: Change): void;
};

const tickMs = 1000;
const keptResolved = 5000;
const pruneMs = 600_000;

export class Alerts {
  readonly #options: AlertsOptions;
  readonly #pendings: Pendings;
  readonly #escalations: Escalations;
  readonly #steadyMs: () => number;
  /** Null: it stands in the store. */
  #memory: AlertsMemory | null = null;
  #cancels: (() => void)[] = [];
  #work: Promise<void> | null = null;
  readonly #teller: NoticeTeller;

  constructor(options: AlertsOptions) {
    this.#options = options;
    this.#pendings = new Pendings(options.database);
    this.#escalations = new Escalations(options.database);
    this.#teller = new NoticeTeller(options);
    this.#steadyMs = steadyTime(options.clock);
  }

  start(): void {
    const { clock } = this.#options;
    this.#cancels = [clock.every(tickMs, () => this.#tick()), clock.every(pruneMs, () => void this.#prune())];
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    await this.#work;
    await this.#teller.stop();
  }

  /** Newest first. `after`: the `next` of the page before. */
  async page({ limit, after, ...match }: Omit<store.AlertsQuery, 'after'> & { readonly after: string | undefined }): Promise<AlertList> {
    const [openedAtMs = '', id = ''] = after?.split('/') ?? [];
    const place = after === undefined ? null : { openedAtMs: Number(openedAtMs), id };
    const rows = await store.newestAlerts(this.#options.database, { ...match, limit: limit + 1, after: place });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return { alerts: shown.map(toAlert), next: last === undefined || rows.length <= limit ? null : `${last.openedAtMs}/${last.id}` };
  }

  /** How many are open, by severity. */
  countOpen(): Promise<ReadonlyMap<string, number>> {
    return store.countUnresolved(this.#options.database);
  }

  /** Null when there is no such alert that is still open. */
  async acknowledge(id: string, by: string): Promise<Alert | null> {
    const { database, clock, audit, publishChange } = this.#options;
    const nowMs = clock.nowMs();
    const row = await inTransaction(database, async (transaction) => {
      const acknowledged = await store.acknowledgeAlert(transaction, id, { acknowledgedAtMs: nowMs, acknowledgedBy: by });
      if (acknowledged === undefined) return undefined;
      const told = await this.#withdraw(transaction, acknowledged, ['escalated'], nowMs);
      await store.writeToldChannels(transaction, id, told);
      await audit.append(transaction, { actor: by, action: 'alert-acknowledged', subject: acknowledged.title });
      return acknowledged;
    });
    publishChange({ subject: 'alerts' });
    return row === undefined ? null : toAlert(row);
  }

  #tick(): void {
    if (!this.#options.isLeader()) {
      // Whoever leads next begins with what stands in the store.
      this.#memory = null;
      this.#escalations.forget();
      this.#teller.rest();
      return;
    }
    this.#work ??= this.#look()
      .catch((err: unknown) => this.#options.log.error({ err }, 'alerts could not be looked after'))
      .finally(() => {
        this.#work = null;
      });
    this.#teller.tick();
  }

  async #look(): Promise<void> {
    const { database, clock, facts, publishChange, isLeader } = this.#options;
    const former = this.#memory ?? (await this.#pendings.read(clock.nowMs(), this.#steadyMs()));
    const [rules, unresolved] = await Promise.all([this.rules(), store.unresolvedAlerts(database)]);
    if (!isLeader()) return;
    const now = facts();
    const nowMs = clock.nowMs();
    const steadyNowMs = this.#steadyMs();
    const open = new Set(unresolved.map(({ key }) => key));
    const { memory, opened, details, resolved } = decideAlerts(former, now, rules, open, steadyNowMs);
    this.#memory = memory;
    // Before what follows from it: a device that is gathered is else told of by itself when the server ends between the two.
    await this.#pendings.write(memory, nowMs, steadyNowMs);
    for (const finding of opened) {
      const rule = rules.find(({ id }) => id === finding.ruleId);
      if (rule !== undefined) await this.#open(rule, finding, nowMs);
    }
    const changed = unresolved.flatMap(({ id, key, detail }) => {
      const newer = details.get(key);
      return newer === undefined || newer === detail ? [] : [{ id, detail: newer }];
    });
    for (const { id, detail } of changed) await store.updateDetail(database, id, detail);
    const members = membersOf(former);
    for (const key of resolved) await this.#resolve(rules, key, (members.get(key) ?? []).map(subjectOf), nowMs);
    const escalating = new Set(rules.filter(({ escalation }) => escalation !== null).map(({ id }) => id));
    const due = await this.#escalations.due(
      unresolved.filter(({ ruleId }) => escalating.has(ruleId)),
      { nowMs, steadyNowMs },
    );
    // Of what is in a maintenance window at its end.
    const isSilenced = silencedBy(now, memory);
    const heard = due.filter(({ key }) => !isSilenced(key));
    const escalated = heard.length === 0 ? 0 : await this.#escalate(heard, nowMs);
    if (opened.length + changed.length + resolved.length + escalated > 0) publishChange({ subject: 'alerts' });
  }

  rules(): Promise<AlertRule[]> {
    return store.currentRules(this.#options.database);
  }

  async #open(rule: AlertRule, { key, title, detail, deviceId }: Finding, nowMs: number): Promise<void> {
    const atMs = toldAtMs(rule, nowMs);
    const row: AlertsTable = {
      id: randomUUID(),
      key,
      ruleId: rule.id,
      ruleName: rule.name,
      severity: rule.severity,
      title: title.slice(0, 200),
      detail: detail.slice(0, 1000),
      deviceId,
      openedAtMs: nowMs,
      acknowledgedAtMs: null,
      acknowledgedBy: null,
      escalateInMs: rule.escalation === null ? null : rule.escalation.afterS * 1000,
      escalatedAtMs: null,
      resolvedAtMs: null,
      toldChannels: '',
    };
    await inTransaction(this.#options.database, async (transaction) => {
      if (!(await store.insertAlert(transaction, row))) return;
      await this.#queue(transaction, row, { event: 'opened' }, rule.channelIds, { nowMs, atMs });
    });
    this.#options.log.warn({ alert: row.title, severity: row.severity }, 'alert opened');
  }

  /** `members`: of an alert about many, those that it was about last. */
  async #resolve(rules: readonly AlertRule[], key: string, members: readonly string[], nowMs: number): Promise<void> {
    await inTransaction(this.#options.database, async (transaction) => {
      const row = await store.resolveAlert(transaction, key, nowMs);
      if (row === undefined) return;
      const rule = rules.find(({ id }) => id === row.ruleId);
      const ids = row.deviceId === null ? members : [row.deviceId];
      const reason = endOf(key, rule, ids.length === 0 ? null : await store.devicesOfAlert(transaction, ids));
      const told = await this.#withdraw(transaction, row, ['opened', 'escalated'], nowMs);
      await this.#queue(transaction, row, { event: 'resolved', reason }, told, { nowMs, atMs: toldAtMs(rule, nowMs) });
    });
  }

  /** Takes back what nobody was told of yet; answers which channels know of the alert without it. */
  async #withdraw(database: Database, row: AlertsTable, events: readonly AlertNotice['event'][], nowMs: number): Promise<string[]> {
    const taken = await store.takeUntold(database, row.id, events, nowMs);
    const rule = (await store.rulesOfAlerts(database, [row.id])).get(row.id);
    // Who was told that it began and not yet that nobody sees to it has been told of the trouble.
    const untold = taken.filter(({ event, channelId }) => event === 'opened' || rule?.channelIds.includes(channelId) !== true);
    return store.readToldChannels(row).filter((id) => !untold.some(({ channelId }) => channelId === id));
  }

  async #escalate(due: readonly AlertsTable[], nowMs: number): Promise<number> {
    return inTransaction(this.#options.database, async (transaction) => {
      const rules = await store.currentRules(transaction);
      const ruleOf = ({ ruleId }: AlertsTable) => rules.find(({ id }) => id === ruleId);
      const ids = due.filter((row) => ruleOf(row)?.escalation != null).map(({ id }) => id);
      const rows = await store.escalate(transaction, ids, nowMs);
      for (const row of rows) {
        const rule = ruleOf(row);
        await this.#queue(transaction, row, { event: 'escalated' }, rule?.escalation?.channelIds ?? [], {
          nowMs,
          atMs: toldAtMs(rule, nowMs),
        });
      }
      return rows.length;
    });
  }

  async #queue(
    database: Database,
    row: AlertsTable,
    what: Pick<AlertNotice, 'event' | 'reason'>,
    channelIds: readonly string[],
    { nowMs, atMs }: { readonly nowMs: number; readonly atMs: number },
  ): Promise<void> {
    const known = new Set((await store.listChannels(database)).map(({ id }) => id));
    const device = row.deviceId === null ? undefined : await findDevice(database, row.deviceId);
    const { event } = what;
    const notice: AlertNotice = { ...what, alert: toAlert(row), deviceName: device?.name ?? null, url: this.#urlOf(row) };
    const rows = [...new Set(channelIds)]
      .filter((id) => known.has(id))
      .map(
        (channelId): AlertNoticesTable => ({
          id: randomUUID(),
          alertId: row.id,
          channelId,
          event,
          document: JSON.stringify(notice),
          createdAtMs: nowMs,
          attempts: 0,
          nextAttemptAtMs: atMs,
        }),
      );
    await store.insertNotices(database, rows);
    if (event !== 'resolved')
      await store.addToldChannels(
        database,
        row.id,
        rows.map(({ channelId }) => channelId),
      );
  }

  #urlOf({ deviceId }: AlertsTable): string | null {
    const { publicUrl } = this.#options;
    return publicUrl === null ? null : deviceId === null ? `${publicUrl}/` : `${publicUrl}/devices/${deviceId}`;
  }

  async #prune(): Promise<void> {
    try {
      if (this.#options.isLeader()) await store.pruneAlerts(this.#options.database, keptResolved);
    } catch (err) {
      this.#options.log.error({ err }, 'old alerts could not be removed');
    }
  }
}

function toldAtMs(rule: AlertRule | undefined, nowMs: number): number {
  return quietUntilMs(rule?.quietHours ?? null, nowMs) ?? nowMs;
}
