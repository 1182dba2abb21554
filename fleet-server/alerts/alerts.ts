/**
 * Keeps the alerts that there should be, and tells whom it concerns.
 *
 * INVARIANTS
 * - An alert and what is to be told of it are written in one transaction; a restart forgets neither.
 * - A notice is tried until it is taken, with growing pauses, for a day; then it is given up and the channel shows why.
 * - Recovery is told to those who were told of the trouble, and to nobody else.
 * - In a rule's quiet hours nobody is told anything; the time until it is escalated begins when somebody was told.
 */
import { randomUUID } from 'node:crypto';
import * as store from '#fleet-server/alerts/alerts-store.ts';
import { decideAlerts, type Finding, type FleetFacts, nothingSeen } from '#fleet-server/alerts/decide.ts';
import { quietUntilMs } from '#fleet-server/alerts/quiet-hours.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { findDevice } from '#fleet-server/devices/devices-store.ts';
import type { Log } from '#fleet-server/log.ts';
import type { AlertNoticesTable, AlertsTable, Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { Alert, AlertNotice, AlertRule, AlertTarget } from '#protocol/model/alert.ts';
import type { Change } from '#protocol/model/change.ts';

export type AlertsOptions = {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Of the dashboard, for links. */
  readonly publicUrl: string | null;
  isLeader(): boolean;
  facts(): FleetFacts;
  tell(target: AlertTarget, notice: AlertNotice): Promise<void>;
  publishChange(change: Change): void;
};

const tickMs = 1000;
const noticesAtOnce = 20;
const keptResolved = 5000;
const pruneMs = 600_000;
export const retryPolicy = { firstMs: 5000, factor: 3, capMs: 3_600_000, giveUpMs: 86_400_000 } as const;

export class Alerts {
  readonly #options: AlertsOptions;
  #memory = nothingSeen;
  #cancels: (() => void)[] = [];
  #work: Promise<void> | null = null;
  #telling: Promise<void> | null = null;

  constructor(options: AlertsOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock } = this.#options;
    this.#cancels = [clock.every(tickMs, () => this.#tick()), clock.every(pruneMs, () => void this.#prune())];
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    await Promise.all([this.#work, this.#telling]);
  }

  async list(query: { readonly isResolved: boolean | null; readonly limit: number }): Promise<Alert[]> {
    return (await store.newestAlerts(this.#options.database, query)).map(toAlert);
  }

  /** Null when there is no such alert that is still open. */
  async acknowledge(id: string, by: string): Promise<Alert | null> {
    const { database, clock, publishChange } = this.#options;
    const row = await store.acknowledgeAlert(database, id, { acknowledgedAtMs: clock.nowMs(), acknowledgedBy: by });
    publishChange({ subject: 'alerts' });
    return row === undefined ? null : toAlert(row);
  }

  #tick(): void {
    if (!this.#options.isLeader()) {
      // Whoever leads next begins with what stands in the store.
      this.#memory = nothingSeen;
      return;
    }
    this.#work ??= this.#look()
      .catch((err: unknown) => this.#options.log.error({ err }, 'alerts could not be looked after'))
      .finally(() => {
        this.#work = null;
      });
    this.#telling ??= this.#tellDue()
      .catch((err: unknown) => this.#options.log.error({ err }, 'alerts could not be told'))
      .finally(() => {
        this.#telling = null;
      });
  }

  async #look(): Promise<void> {
    const { database, clock, facts, publishChange } = this.#options;
    const [rules, unresolved] = await Promise.all([this.rules(), store.unresolvedAlerts(database)]);
    const now = facts();
    const nowMs = clock.nowMs();
    const open = new Set(unresolved.map(({ key }) => key));
    const { memory, opened, resolved } = decideAlerts(this.#memory, now, rules, open, nowMs);
    this.#memory = memory;
    for (const finding of opened) {
      const rule = rules.find(({ id }) => id === finding.ruleId);
      if (rule !== undefined) await this.#open(rule, finding, nowMs);
    }
    for (const key of resolved) await this.#resolve(rules, key, nowMs);
    const silenced = new Set(now.devices.filter(({ isSilenced }) => isSilenced).map(({ id }) => id));
    const escalated = await this.#escalate(rules, silenced, nowMs);
    if (opened.length + resolved.length + escalated > 0) publishChange({ subject: 'alerts' });
  }

  async rules(): Promise<AlertRule[]> {
    return (await store.listRules(this.#options.database)).map(({ document }) => JSON.parse(document) as AlertRule);
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
      escalateAtMs: rule.escalation === null ? null : atMs + rule.escalation.afterS * 1000,
      escalatedAtMs: null,
      resolvedAtMs: null,
      toldChannels: '',
    };
    await inTransaction(this.#options.database, async (transaction) => {
      if (!(await store.insertAlert(transaction, row))) return;
      await this.#queue(transaction, row, 'opened', rule.channelIds, atMs);
    });
    this.#options.log.warn({ alert: row.title, severity: row.severity }, 'alert opened');
  }

  async #resolve(rules: readonly AlertRule[], key: string, nowMs: number): Promise<void> {
    await inTransaction(this.#options.database, async (transaction) => {
      const row = await store.resolveAlert(transaction, key, nowMs);
      if (row === undefined) return;
      const rule = rules.find(({ id }) => id === row.ruleId);
      const taken = await store.takeUntold(transaction, row.id);
      // Who was told that it began and not yet that nobody sees to it has been told of the trouble.
      const untold = taken.filter(({ event, channelId }) => event === 'opened' || rule?.channelIds.includes(channelId) !== true);
      const told = store.readToldChannels(row).filter((id) => !untold.some(({ channelId }) => channelId === id));
      await this.#queue(transaction, row, 'resolved', told, toldAtMs(rule, nowMs));
    });
  }

  /** Of devices in a maintenance window at its end. */
  async #escalate(rules: readonly AlertRule[], silenced: ReadonlySet<string>, nowMs: number): Promise<number> {
    return inTransaction(this.#options.database, async (transaction) => {
      const rows = await store.escalateDue(transaction, silenced, nowMs);
      for (const row of rows) {
        const rule = rules.find(({ id }) => id === row.ruleId);
        if (rule?.escalation == null) continue;
        await this.#queue(transaction, row, 'escalated', rule.escalation.channelIds, toldAtMs(rule, nowMs));
      }
      return rows.length;
    });
  }

  async #queue(
    database: Database,
    row: AlertsTable,
    event: AlertNotice['event'],
    channelIds: readonly string[],
    atMs: number,
  ): Promise<void> {
    const known = new Set((await store.listChannels(database)).map(({ id }) => id));
    const device = row.deviceId === null ? undefined : await findDevice(database, row.deviceId);
    const notice: AlertNotice = { event, alert: toAlert(row), deviceName: device?.name ?? null, url: this.#urlOf(row) };
    const rows = [...new Set(channelIds)]
      .filter((id) => known.has(id))
      .map(
        (channelId): AlertNoticesTable => ({
          id: randomUUID(),
          alertId: row.id,
          channelId,
          event,
          document: JSON.stringify(notice),
          createdAtMs: this.#options.clock.nowMs(),
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

  async #tellDue(): Promise<void> {
    const { database, clock } = this.#options;
    const due = await store.dueNotices(database, clock.nowMs(), noticesAtOnce);
    // Side by side: a channel that hangs must not hold up the others.
    await Promise.all(due.map((notice) => this.#tellOne(notice)));
  }

  async #tellOne(row: AlertNoticesTable): Promise<void> {
    const { database, clock, secrets, tell, random, log } = this.#options;
    const channel = await store.findChannel(database, row.channelId);
    if (channel === undefined) return;
    const target = JSON.parse(secrets.open(channel.target)) as AlertTarget;
    const problem = await tell(target, JSON.parse(row.document) as AlertNotice).then(
      () => null,
      (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)).slice(0, 300),
    );
    const nowMs = clock.nowMs();
    await store.updateChannel(database, row.channelId, { lastAttemptAtMs: nowMs, lastProblem: problem });
    if (problem === null) return store.deleteNotice(database, row.id);
    const { firstMs, factor, capMs, giveUpMs } = retryPolicy;
    log.warn({ channel: channel.name, attempt: row.attempts + 1, problem }, 'an alert could not be told');
    if (nowMs - row.createdAtMs > giveUpMs) return store.deleteNotice(database, row.id);
    const waitMs = Math.min(capMs, firstMs * factor ** Math.min(row.attempts, 16)) * (1 - random() / 4);
    await store.postponeNotice(database, row.id, { attempts: row.attempts + 1, nextAttemptAtMs: nowMs + Math.round(waitMs) });
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

export function toAlert(row: AlertsTable): Alert {
  const time = (ms: number | null) => (ms === null ? null : timestamp(ms));
  return {
    id: row.id,
    ruleName: row.ruleName,
    severity: row.severity === 'critical' ? 'critical' : row.severity === 'info' ? 'info' : 'warning',
    state: row.resolvedAtMs !== null ? 'resolved' : row.acknowledgedAtMs !== null ? 'acknowledged' : 'open',
    title: row.title,
    detail: row.detail,
    deviceId: row.deviceId,
    openedAt: timestamp(row.openedAtMs),
    acknowledgedAt: time(row.acknowledgedAtMs),
    acknowledgedBy: row.acknowledgedBy,
    escalatedAt: time(row.escalatedAtMs),
    resolvedAt: time(row.resolvedAtMs),
  };
}
