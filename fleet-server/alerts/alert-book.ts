/** Rules and channels, as people write them down. What it takes is checked; secrets go in and never come out. */
import { randomUUID } from 'node:crypto';
import * as store from '#fleet-server/alerts/alerts-store.ts';
import { isTimeZone, quietUntilMs } from '#fleet-server/alerts/quiet-hours.ts';
import { auditedTarget, changedTarget, newTarget, shownTarget } from '#fleet-server/alerts/target-secrets.ts';
import type { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { AlertChannelsTable, Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { AlertChannel, AlertChannelRequest, AlertNotice, AlertRule, AlertRuleRequest, AlertTarget } from '#protocol/model/alert.ts';

export type AlertBookOptions = {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** Devices connect to a broker elsewhere. */
  readonly isBrokerExternal: boolean;
  tell(target: AlertTarget, notice: AlertNotice): Promise<void>;
};

const maxRules = 200;
const maxChannels = 100;

const everybody = { group: null, enabled: true, channelIds: [], quietHours: null, escalation: null } as const;
type FirstRules = { readonly what: string; readonly isForExternalBroker?: boolean; readonly rules: readonly AlertRuleRequest[] };
/** Shown in the dashboard; whoever wants to be told adds channels. A fleet gets each set once, also one that is older than the set. */
const firstRules: readonly FirstRules[] = [
  {
    what: 'first alert rules',
    rules: [
      { ...everybody, name: 'The relay is down', trigger: { kind: 'relay-down' }, forS: 5, severity: 'critical', channelIds: [] },
      { ...everybody, name: 'A device is offline', trigger: { kind: 'offline' }, forS: 60, severity: 'critical', channelIds: [] },
      {
        ...everybody,
        name: 'Something critical',
        trigger: { kind: 'condition', conditions: [], severity: 'critical' },
        forS: 30,
        severity: 'critical',
        channelIds: [],
      },
    ],
  },
  {
    what: 'alert rule of newcomers',
    rules: [
      {
        ...everybody,
        name: 'A new device waits for approval',
        trigger: { kind: 'condition', conditions: ['waits-for-approval'], severity: 'info' },
        forS: 0,
        severity: 'warning',
        channelIds: [],
      },
    ],
  },
  {
    what: 'alert rule of unstable connections',
    rules: [
      {
        ...everybody,
        name: 'The connection of a device comes and goes',
        trigger: { kind: 'condition', conditions: ['connection-unstable'], severity: 'info' },
        forS: 60,
        severity: 'warning',
        channelIds: [],
      },
    ],
  },
  {
    what: 'alert rule of a broker elsewhere',
    isForExternalBroker: true,
    rules: [
      { ...everybody, name: 'The MQTT broker is down', trigger: { kind: 'broker-down' }, forS: 5, severity: 'critical', channelIds: [] },
    ],
  },
];

export class AlertBook {
  readonly #options: AlertBookOptions;

  constructor(options: AlertBookOptions) {
    this.#options = options;
  }

  /** Once for each store: rules that somebody removed do not come back. */
  async ensureFirstRules(): Promise<void> {
    const { database } = this.#options;
    await inTransaction(database, async (transaction) => {
      let place = 0;
      for (const { what, rules, isForExternalBroker = false } of firstRules) {
        if (isForExternalBroker && !this.#options.isBrokerExternal) continue;
        if (!(await store.markDone(transaction, what))) continue;
        for (const request of rules) await this.#insertRule(transaction, request, place++);
      }
    });
  }

  rules(): Promise<AlertRule[]> {
    return store.currentRules(this.#options.database);
  }

  async addRule(request: AlertRuleRequest, actor: string): Promise<AlertRule> {
    const { database, audit } = this.#options;
    return inTransaction(database, async (transaction) => {
      await this.#checkRule(transaction, request);
      if ((await store.listRules(transaction)).length >= maxRules) throw tooMany(maxRules, 'rules');
      const rule = await this.#insertRule(transaction, request);
      const changes = [{ field: 'rule', before: null, after: JSON.stringify(rule) }];
      await audit.append(transaction, { actor, action: 'alert-rule-added', subject: rule.name, changes });
      return rule;
    });
  }

  async changeRule(id: string, request: AlertRuleRequest, actor: string): Promise<AlertRule> {
    const { database, audit } = this.#options;
    const rule: AlertRule = { id, ...request };
    await inTransaction(database, async (transaction) => {
      await this.#checkRule(transaction, request);
      const before = (await store.listRules(transaction)).find((row) => row.id === id)?.document ?? null;
      const current = (await store.currentRules(transaction)).find((one) => one.id === id);
      if (before === null || !(await store.updateRule(transaction, id, JSON.stringify(rule)))) throw notThere('alert rule');
      if (current?.escalation === null && rule.escalation !== null)
        await store.beginEscalation(transaction, id, rule.escalation.afterS * 1000);
      await this.#moveHeld(transaction, JSON.parse(before) as AlertRule, rule);
      const changes = [{ field: 'rule', before, after: JSON.stringify(rule) }];
      await audit.append(transaction, { actor, action: 'alert-rule-changed', subject: rule.name, changes });
    });
    return rule;
  }

  /** What waits for the end of its quiet hours waits for that of the new ones, or no longer. */
  async #moveHeld(transaction: Database, before: AlertRule, after: AlertRule): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const [formerMs, untilMs] = [quietUntilMs(before.quietHours, nowMs), quietUntilMs(after.quietHours, nowMs)];
    if (formerMs !== null && formerMs !== untilMs)
      await store.moveHeld(transaction, after.id, { formerMs, untilMs: untilMs ?? nowMs, nowMs });
  }

  async removeRule(id: string, actor: string): Promise<void> {
    const { database, audit } = this.#options;
    await inTransaction(database, async (transaction) => {
      const document = (await store.listRules(transaction)).find((row) => row.id === id)?.document;
      if (document === undefined || !(await store.deleteRule(transaction, id))) throw notThere('alert rule');
      const changes = [{ field: 'rule', before: document, after: null }];
      await audit.append(transaction, { actor, action: 'alert-rule-removed', subject: (JSON.parse(document) as AlertRule).name, changes });
    });
  }

  async channels(): Promise<AlertChannel[]> {
    return (await store.listChannels(this.#options.database)).map((row) => this.#toChannel(row));
  }

  async addChannel({ name, target }: AlertChannelRequest, actor: string): Promise<AlertChannel> {
    const { database, secrets, clock, audit } = this.#options;
    const row: AlertChannelsTable = {
      id: randomUUID(),
      name,
      target: secrets.seal(JSON.stringify(newTarget(target))),
      createdAtMs: clock.nowMs(),
      lastAttemptAtMs: null,
      lastProblem: null,
      told: '',
    };
    await inTransaction(database, async (transaction) => {
      if ((await store.listChannels(transaction)).length >= maxChannels) throw tooMany(maxChannels, 'channels');
      await store.insertChannel(transaction, row);
      const changes = [{ field: 'target', before: null, after: auditedTarget(target) }];
      await audit.append(transaction, { actor, action: 'alert-channel-added', subject: name, changes });
    });
    return this.#toChannel(row);
  }

  /** What is secret and left out stays as it was: target-secrets.ts. */
  async changeChannel(id: string, { name, target }: AlertChannelRequest, actor: string): Promise<AlertChannel> {
    const { database, secrets, audit } = this.#options;
    return inTransaction(database, async (transaction) => {
      const before = await store.findChannel(transaction, id);
      if (before === undefined) throw notThere('alert channel');
      const former = this.#open(before);
      const next = changedTarget(former, target);
      const columns = { name, target: secrets.seal(JSON.stringify(next)) };
      await store.updateChannel(transaction, id, columns);
      const changes = [{ field: 'target', before: auditedTarget(former), after: auditedTarget(next) }];
      await audit.append(transaction, { actor, action: 'alert-channel-changed', subject: name, changes });
      return this.#toChannel({ ...before, ...columns });
    });
  }

  async removeChannel(id: string, actor: string): Promise<void> {
    const { database, audit } = this.#options;
    await inTransaction(database, async (transaction) => {
      const before = await store.findChannel(transaction, id);
      if (before === undefined || !(await store.deleteChannel(transaction, id))) throw notThere('alert channel');
      const changes = [{ field: 'target', before: auditedTarget(this.#open(before)), after: null }];
      await audit.append(transaction, { actor, action: 'alert-channel-removed', subject: before.name, changes });
    });
  }

  /** Tells a test notice at once; rejects with why it was not taken. */
  async test(id: string): Promise<void> {
    const { database, clock, tell } = this.#options;
    const row = await store.findChannel(database, id);
    if (row === undefined) throw notThere('alert channel');
    const at = timestamp(clock.nowMs());
    const alert: AlertNotice['alert'] = {
      id: randomUUID(),
      ruleName: 'Test',
      severity: 'info',
      state: 'open',
      title: 'Alerts of MakeSpaceLive arrive here',
      detail: 'Somebody asked for this test in the dashboard.',
      deviceId: null,
      openedAt: at,
      acknowledgedAt: null,
      acknowledgedBy: null,
      escalatedAt: null,
      resolvedAt: null,
    };
    const problem = await tell(this.#open(row), { event: 'test', alert, deviceName: null, url: null }).then(
      () => null,
      (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)).slice(0, 300),
    );
    await store.updateChannel(database, id, { lastAttemptAtMs: clock.nowMs(), lastProblem: problem });
    if (problem !== null) throw new FleetError('not-told', `The test did not arrive: ${problem}.`);
  }

  async #checkRule(database: Database, { channelIds, escalation, quietHours }: AlertRuleRequest): Promise<void> {
    const known = new Set((await store.listChannels(database)).map(({ id }) => id));
    const wrong = [...channelIds, ...(escalation?.channelIds ?? [])].find((id) => !known.has(id));
    if (wrong !== undefined) throw new FleetError('wrong-fields', `Expected ids of alert channels, got ${JSON.stringify(wrong)}.`);
    if (quietHours !== null && !isTimeZone(quietHours.timeZone)) {
      const came = JSON.stringify(quietHours.timeZone);
      throw new FleetError('wrong-fields', `Expected a time zone such as Europe/Berlin in quietHours, got ${came}.`);
    }
  }

  /** In the order of their making; `place` orders those of one moment. */
  async #insertRule(database: Database, request: AlertRuleRequest, place = 0): Promise<AlertRule> {
    const rule: AlertRule = { id: randomUUID(), ...request };
    await store.insertRule(database, { id: rule.id, document: JSON.stringify(rule), createdAtMs: this.#options.clock.nowMs() + place });
    return rule;
  }

  #open(row: AlertChannelsTable): AlertTarget {
    return JSON.parse(this.#options.secrets.open(row.target)) as AlertTarget;
  }

  #toChannel(row: AlertChannelsTable): AlertChannel {
    const { lastAttemptAtMs, lastProblem } = row;
    return {
      id: row.id,
      name: row.name,
      target: shownTarget(this.#open(row)),
      lastAttempt: lastAttemptAtMs === null ? null : { at: timestamp(lastAttemptAtMs), problem: lastProblem },
    };
  }
}

function notThere(what: string): FleetError {
  return new FleetError('not-found', `Expected the id of an ${what}.`);
}

function tooMany(count: number, what: string): FleetError {
  return new FleetError('too-many', `Expected at most ${count} alert ${what}: remove some first.`);
}
