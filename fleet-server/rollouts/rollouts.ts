/**
 * Roll-outs: looks after those that are under way once a second, at the leading server, and does what people ask.
 *
 * INVARIANT: what a step decides (transition.ts), the settings that it gives to devices and what is written of it are one transaction: a server that
 * dies between two steps loses nothing, and the next leader goes on where the tables stand. What is sent to devices after it is also sent by
 * whoever finds that a device has not confirmed it.
 *
 * INVARIANT: how the devices are is read after where the roll-out stands, and without a transaction, which would hold up a large fleet; the step is
 * taken only if the roll-out stands there still. That a device confirmed what it had before is thus never taken for a word about the change.
 */
import { randomUUID } from 'node:crypto';
import { type AuditAction, type AuditLog, theServer } from '#fleet-server/audit/audit-log.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { NewHistoryEntry } from '#fleet-server/history/device-history.ts';
import type { Log } from '#fleet-server/log.ts';
import { Ages } from '#fleet-server/rollouts/ages.ts';
import { type Candidate, planWaves } from '#fleet-server/rollouts/plan-waves.ts';
import { auditedChanges, changesOf, detailOf, shownRollout } from '#fleet-server/rollouts/rollout-view.ts';
import * as store from '#fleet-server/rollouts/rollouts-store.ts';
import {
  type RolloutAction,
  type RolloutEvent,
  type RolloutFacts,
  type RolloutState,
  transition,
} from '#fleet-server/rollouts/transition.ts';
import type { Outgoing } from '#fleet-server/settings/desired-outbox.ts';
import type { Settings } from '#fleet-server/settings/settings.ts';
import type { SettingsTrials } from '#fleet-server/settings/trials.ts';
import type { Database, RolloutsTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { Change } from '#protocol/model/change.ts';
import type { Rollout, RolloutDetail, RolloutPlan, RolloutRequest, RolloutScope } from '#protocol/model/rollout.ts';

export type RolloutsOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditLog;
  readonly settings: Pick<Settings, 'announce' | 'undoIn'>;
  readonly trials: SettingsTrials;
  isLeader(): boolean;
  /** Devices that the scope takes in, as they are now. */
  candidates(database: Database, scope: RolloutScope): Promise<Candidate[]>;
  nameOf(deviceId: string): string | undefined;
  facts(database: Database, scope: RolloutScope): Promise<RolloutFacts>;
  appendHistory(entry: NewHistoryEntry): Promise<void>;
  publishChange(change: Change): void;
};

const tickMs = 1000;
const keptWhenOver = 100;
const maxUnderWay = 20;
const server = theServer;

/** Somebody else takes a step between a look and its own; if that goes on, the next second is there. */
const maxLooks = 3;

type Stored = { readonly row: RolloutsTable; readonly state: RolloutState };
type Decided = Stored & { readonly rollout: RolloutState; readonly actions: readonly RolloutAction[] };
type Done = Stored & { readonly rollout: RolloutState; readonly outgoing: readonly Outgoing[] };
type PersonsEvent = Exclude<RolloutEvent, { readonly kind: 'time' }>;

export class Rollouts {
  readonly #options: RolloutsOptions;
  readonly #ages: Ages;
  #cancel: (() => void) | null = null;
  #work: Promise<void> | null = null;

  constructor(options: RolloutsOptions) {
    this.#options = options;
    this.#ages = new Ages(options.clock);
  }

  start(): void {
    this.#cancel ??= this.#options.clock.every(tickMs, () => this.#tick());
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    await this.#work;
  }

  async list(limit: number): Promise<Rollout[]> {
    const { database } = this.#options;
    const rows = await store.newestRollouts(database, limit);
    const counts = await store.waveCounts(
      database,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => shownRollout(row, counts));
  }

  async detail(id: string): Promise<RolloutDetail> {
    const { database, nameOf } = this.#options;
    const { row, state } = await this.#read(database, id);
    return detailOf(row, await store.waveCounts(database, [id]), state.devices, nameOf);
  }

  async begin(request: RolloutRequest, by: string): Promise<RolloutDetail> {
    const { database, clock, audit, trials, candidates } = this.#options;
    const id = randomUUID();
    const { scope, plan, patch } = request;
    const where = scope.kind === 'fleet' ? { level: scope.kind, scope: '' } : { level: scope.kind, scope: scope.name };
    const nowMs = clock.nowMs();
    await inTransaction(database, async (transaction) => {
      if ((await store.idsUnderWay(transaction)).length >= maxUnderWay) {
        throw new FleetError('too-many', `Expected at most ${maxUnderWay} roll-outs under way: end some first.`);
      }
      const waves = planWaves(plan, await candidates(transaction, scope));
      if (waves.length === 0)
        throw new FleetError('wrong-fields', 'There is no device that it could be rolled out to: change the settings themselves.');
      const changes = await trials.begin(transaction, { id, ...where, patch, startedAtMs: nowMs, startedBy: by });
      const row: RolloutsTable = {
        ...{ id, ...where, changes: JSON.stringify(changes), plan: JSON.stringify(plan), comment: request.comment ?? null },
        ...{ createdAtMs: nowMs, createdBy: by, state: 'running', wave: 0, reason: null, finishedAtMs: null, revision: null },
      };
      const nothing = {
        state: 'waiting',
        sinceMs: nowMs,
        reason: null,
        falls: 0,
        before: JSON.stringify({ wasLive: false, critical: [] }),
      } as const;
      const devices = waves.flatMap((ids, wave) => ids.map((deviceId) => ({ deviceId, wave, ...nothing })));
      await store.insertRollout(transaction, row, devices);
      await store.pruneRollouts(transaction, keptWhenOver);
      await audit.append(transaction, {
        ...{ actor: by, action: 'rollout-begun', subject: subjectOf(row) },
        changes: [{ field: 'rollout', before: null, after: id }, ...auditedChanges(changes)],
      });
    });
    await this.#goOn(id);
    this.#options.publishChange({ subject: 'rollouts' });
    return this.detail(id);
  }

  async halt(id: string, by: string): Promise<RolloutDetail> {
    await this.#step(id, { kind: 'halt', reason: `Halted by ${by}.` }, by, ['running']);
    return this.detail(id);
  }

  async resume(id: string, by: string): Promise<RolloutDetail> {
    await this.#step(id, { kind: 'resume' }, by, ['halted']);
    await this.#goOn(id);
    return this.detail(id);
  }

  /** All that got it get back what they had. `override`: of a completed one also where its settings were changed since. */
  async rollBack(id: string, by: string, override = false): Promise<RolloutDetail> {
    await this.#step(id, { kind: 'roll-back', override }, by, ['running', 'halted', 'completed']);
    return this.detail(id);
  }

  #tick(): void {
    const { log, isLeader } = this.#options;
    if (!isLeader()) {
      // Also of those that somebody began, or went on with, at this server.
      this.#ages.keepOnly([]);
      return;
    }
    this.#work ??= this.#lookAfterAll()
      .catch((err: unknown) => log.error({ err }, 'roll-outs could not be looked after'))
      .finally(() => {
        this.#work = null;
      });
  }

  async #lookAfterAll(): Promise<void> {
    const { database, log } = this.#options;
    const ids = await store.idsUnderWay(database);
    this.#ages.keepOnly(ids);
    for (const id of ids) {
      try {
        await this.#goOn(id);
      } catch (err) {
        // The others go on; this one is tried again in a second.
        log.error({ err, rolloutId: id }, 'a roll-out could not be taken a step further');
      }
    }
  }

  /** Looks without a transaction: most seconds change nothing. */
  async #goOn(id: string): Promise<void> {
    const { database, facts } = this.#options;
    for (let looks = 0; looks < maxLooks; looks += 1) {
      const { row, state: stored } = await this.#read(database, id);
      const known = await facts(database, scopeOf(row));
      const state = this.#ages.measured(id, stored, known);
      const step = transition(state, { kind: 'time' }, known, this.#ages.nowMs());
      if (step.actions.length === 0 && isSame(state, step.rollout)) return;
      const done = await inTransaction(database, async (transaction) => {
        const now = await this.#read(transaction, id);
        // Whose group has another name since then has no devices under the former one.
        const isAsBefore = now.row.scope === row.scope && isAsSeen(stored, now.state);
        return isAsBefore ? this.#take(transaction, { row: now.row, state, ...step }, server) : null;
      });
      if (done === null) continue;
      await this.#tell(done);
      return;
    }
  }

  /** What somebody asks for; none of it depends on what the devices do at this moment. */
  async #step(id: string, event: PersonsEvent, by: string, expected: readonly RolloutState['kind'][]): Promise<void> {
    const { database } = this.#options;
    const done = await inTransaction(database, async (transaction) => {
      const { row, state } = await this.#read(transaction, id);
      if (!expected.includes(state.kind)) {
        throw new FleetError('under-way', `Expected a roll-out that is ${expected.join(' or ')}; this one is ${state.kind}.`);
      }
      return this.#take(transaction, { row, state, ...transition(state, event, new Map(), this.#ages.nowMs()) }, by);
    });
    await this.#tell(done);
  }

  /** Does what a step decided, in a transaction of the caller's. */
  async #take(transaction: Database, { row, state, rollout, actions }: Decided, by: string): Promise<Done> {
    const { clock } = this.#options;
    const outgoing: Outgoing[] = [];
    let { revision } = row;
    for (const action of actions) {
      const result = await this.#perform(transaction, row, action, by);
      outgoing.push(...result.outgoing);
      revision = result.revision ?? revision;
    }
    const isOver = rollout.kind === 'completed' || rollout.kind === 'rolled-back';
    const end = { revision, ...(isOver ? { finishedAtMs: clock.nowMs() } : {}) };
    await store.saveRollout(transaction, row.id, state, this.#ages.dated(row.id, state, rollout), end);
    await this.#audit(transaction, row, state, rollout, by);
    return { row, state, rollout, outgoing };
  }

  async #tell({ row, state, rollout, outgoing }: Done): Promise<void> {
    const { settings, appendHistory, publishChange } = this.#options;
    if (isSame(state, rollout) && outgoing.length === 0) return;
    settings.announce({ level: row.level, scope: row.scope }, outgoing);
    publishChange({ subject: 'rollouts' });
    for (const [index, device] of rollout.devices.entries()) {
      if (device.kind !== 'failed' || state.devices[index]?.kind === 'failed') continue;
      await appendHistory({
        deviceId: device.id,
        origin: 'server',
        kind: 'rollout-failed',
        detail: `Roll-out ${row.id}: ${device.reason ?? ''}`,
      });
    }
  }

  async #perform(
    transaction: Database,
    row: RolloutsTable,
    action: RolloutAction,
    by: string,
  ): Promise<{ readonly outgoing: readonly Outgoing[]; readonly revision: number | null }> {
    const { trials, settings } = this.#options;
    switch (action.kind) {
      case 'give':
        return { outgoing: await trials.give(transaction, row.id, action.deviceIds), revision: null };
      case 'take':
        return { outgoing: await trials.take(transaction, row.id, action.deviceIds), revision: null };
      case 'complete':
        return trials.adopt(transaction, row.id, { by: row.createdBy, comment: row.comment ?? `Roll-out ${row.id}`, undoes: null });
      case 'drop': {
        if (row.state !== 'completed') return { outgoing: await trials.drop(transaction, row.id), revision: null };
        if (row.revision === null)
          throw new FleetError('nothing-to-undo', 'It changed nothing at its level: there is nothing to take back.');
        return settings.undoIn(transaction, row, row.revision, {
          by,
          comment: `Roll-out ${row.id} is taken back`,
          override: action.override,
        });
      }
      default:
        return action satisfies never;
    }
  }

  async #audit(transaction: Database, row: RolloutsTable, before: RolloutState, after: RolloutState, by: string): Promise<void> {
    if (before.kind === after.kind) return;
    const actions: { readonly [K in RolloutState['kind']]: AuditAction } = {
      running: 'rollout-resumed',
      halted: 'rollout-halted',
      completed: 'rollout-completed',
      'rolled-back': 'rollout-rolled-back',
    };
    // What a completed one changed at its level, and what that change is back to, stands in entries of the settings.
    const isTakenBack = after.kind === 'rolled-back' && before.kind !== 'completed';
    const back = isTakenBack ? changesOf(row).map(({ key, before: former, after: tried }) => ({ key, before: tried, after: former })) : [];
    const changes = [
      { field: 'rollout', before: before.kind, after: `${row.id} ${after.kind} ${after.reason ?? ''}`.trim() },
      ...auditedChanges(back),
    ];
    await this.#options.audit.append(transaction, { actor: by, action: actions[after.kind], subject: subjectOf(row), changes });
  }

  async #read(database: Database, id: string): Promise<Stored> {
    const row = await store.findRollout(database, id);
    if (row === undefined) throw new FleetError('not-found', 'Expected the id of a roll-out.');
    const devices = await store.devicesOf(database, id);
    const plan = JSON.parse(row.plan) as RolloutPlan;
    const isWaves = plan.kind === 'waves';
    const state: RolloutState = {
      ...{ kind: row.state, wave: row.wave, waveCount: (devices.at(-1)?.wave ?? 0) + 1, reason: row.reason, devices },
      soakMs: isWaves ? plan.soakS * 1000 : 0,
      failureThresholdPercent: isWaves ? plan.failureThresholdPercent : 100,
    };
    return { row, state };
  }
}

export function scopeOf({ level, scope }: Pick<RolloutsTable, 'level' | 'scope'>): RolloutScope {
  return level === 'fleet' ? { kind: 'fleet' } : { kind: 'group', name: scope };
}

function subjectOf({ level, scope }: Pick<RolloutsTable, 'level' | 'scope'>): string {
  return level === 'fleet' ? 'fleet' : scope;
}

/** Both were read from the store. */
function isAsSeen(seen: RolloutState, now: RolloutState): boolean {
  return (
    seen.kind === now.kind &&
    seen.wave === now.wave &&
    seen.devices.length === now.devices.length &&
    seen.devices.every(({ id, kind, sinceMs, reason }, index) => {
      const device = now.devices[index];
      return device?.id === id && device.kind === kind && device.sinceMs === sinceMs && device.reason === reason;
    })
  );
}

function isSame(before: RolloutState, after: RolloutState): boolean {
  return (
    before.kind === after.kind &&
    before.wave === after.wave &&
    before.reason === after.reason &&
    after.devices.every((device, index) => device === before.devices[index])
  );
}
