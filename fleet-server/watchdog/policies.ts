/** Which policy of the watchdog counts for whom: the group's, else the fleet's, else the one that it is born with. */
import { Equal } from 'typebox/value';
import type { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { Log } from '#fleet-server/log.ts';
import type { Database, WatchdogPoliciesTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import * as store from '#fleet-server/watchdog/policies-store.ts';
import { defaultPolicy } from '#fleet-server/watchdog/policy.ts';
import type { Change } from '#protocol/model/change.ts';
import { type WatchdogPolicy, type WatchdogPolicyAnswer, type WatchdogPolicyList, watchdogCommands } from '#protocol/model/watchdog.ts';

/** Of what another server changed, whose message was lost. */
const readAgainMs = 10_000;
const maxPolicies = 500;

export type PolicyScope = Pick<WatchdogPoliciesTable, 'level' | 'scope'>;
export type OwnPolicy = Omit<WatchdogPolicyList['groups'][number], 'deviceCount'>;
type Known = { readonly row: WatchdogPoliciesTable; readonly policy: WatchdogPolicy };

export type PoliciesOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditLog;
  publishChange(change: Change): void;
};

export class WatchdogPolicies {
  readonly #options: PoliciesOptions;
  #known: ReadonlyMap<string, Known> = new Map();
  #cancel: () => void = () => {};
  #reading: Promise<void> | null = null;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#read();
    this.#cancel = this.#options.clock.every(readAgainMs, () => this.readAgain());
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#reading;
  }

  readAgain(): void {
    this.#reading ??= this.#read()
      .catch((err: unknown) => this.#options.log.error({ err }, 'policies of the watchdog could not be read'))
      .finally(() => {
        this.#reading = null;
      });
  }

  /** For a device of this group. */
  of(group: string | null): WatchdogPolicy {
    return this.#find(group)?.policy ?? defaultPolicy;
  }

  /** Null: of the fleet. */
  answer(group: string | null): WatchdogPolicyAnswer {
    const known = this.#find(group);
    if (known === undefined) return { policy: defaultPolicy, level: 'default', changedAt: null, changedBy: null };
    const { level, changedAtMs, changedBy } = known.row;
    return { policy: known.policy, level, changedAt: timestamp(changedAtMs), changedBy };
  }

  /** Of the groups that have their own, by name. */
  ofGroups(): OwnPolicy[] {
    const { policy: fleets } = this.answer(null);
    return [...this.#known.values()]
      .filter(({ row }) => row.level === 'group')
      .map(({ row: { scope, changedAtMs, changedBy }, policy }) => ({
        name: scope,
        changedAt: timestamp(changedAtMs),
        changedBy,
        isAsFleet: Equal(policy, fleets),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Null: as if it had never been set. */
  async set(where: PolicyScope, policy: WatchdogPolicy | null, actor: string): Promise<void> {
    const { database, clock, audit, publishChange } = this.#options;
    if (policy !== null) check(policy);
    await inTransaction(database, async (transaction) => {
      const rows = await store.listPolicies(transaction);
      const before = rows.find(({ level, scope }) => level === where.level && scope === where.scope)?.document ?? null;
      if (policy === null) await store.deletePolicy(transaction, where);
      else if (before === null && rows.length >= maxPolicies) throw new FleetError('too-many', `Expected at most ${maxPolicies} policies.`);
      else {
        const row = { ...where, document: JSON.stringify(policy), changedAtMs: clock.nowMs(), changedBy: actor };
        await store.writePolicy(transaction, row);
      }
      const changes = differences(before === null ? null : (JSON.parse(before) as WatchdogPolicy), policy);
      if (changes.length === 0) return;
      const subject = where.level === 'fleet' ? 'fleet' : where.scope;
      await audit.append(transaction, { actor, action: 'watchdog-policy-changed', subject, changes });
    });
    await this.#read();
    publishChange({ subject: 'watchdog-policy' });
  }

  /** The group is called otherwise in the store now. At once, as its devices are; what the store has is read after that. */
  renameGroup(from: string, to: string): Promise<void> {
    const own = this.#known.get(`group ${from}`);
    const others = [...this.#known].filter(([key]) => key !== `group ${from}`);
    if (own !== undefined) this.#known = new Map([...others, [`group ${to}`, { ...own, row: { ...own.row, scope: to } }]]);
    return this.#read();
  }

  #find(group: string | null): Known | undefined {
    return (group === null ? undefined : this.#known.get(`group ${group}`)) ?? this.#known.get('fleet ');
  }

  async #read(): Promise<void> {
    const rows = await store.listPolicies(this.#options.database);
    this.#known = new Map(rows.map((row) => [`${row.level} ${row.scope}`, { row, policy: JSON.parse(row.document) as WatchdogPolicy }]));
  }
}

/** Field by field, so that the audit log says what was changed. */
function differences(before: WatchdogPolicy | null, after: WatchdogPolicy | null) {
  const fields = Object.keys(defaultPolicy) as (keyof WatchdogPolicy)[];
  return fields
    .map((field) => ({
      field,
      before: before === null ? null : JSON.stringify(before[field]),
      after: after === null ? null : JSON.stringify(after[field]),
    }))
    .filter((change) => change.before !== change.after);
}

function check({ steps, firstPauseS, maxPauseS }: WatchdogPolicy): void {
  const order = steps.map(({ command }) => watchdogCommands.indexOf(command));
  if (order.some((place, index) => index > 0 && place <= (order[index - 1] ?? 0))) {
    throw wrong('steps', 'each command once, the gentlest first', steps.map(({ command }) => command).join(', '));
  }
  if (maxPauseS < firstPauseS) throw wrong('maxPauseS', 'at least firstPauseS', String(maxPauseS));
}

function wrong(field: string, expected: string, came: string): FleetError {
  const problems = [{ key: `body/${field}`, expected, came }];
  return new FleetError('wrong-fields', `Expected ${expected} in ${field}, got ${came}.`, { problems });
}
