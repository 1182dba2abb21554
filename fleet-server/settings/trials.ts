/**
 * A trial: a patch of the fleet's or of a group's settings that is in force on some of its devices only. To those devices the level is as if it
 * had been changed; the level itself is changed when the trial is adopted, which then changes nothing for them.
 *
 * INVARIANTS
 * - Every function is called in a transaction of the caller's; what it answers is sent (`Settings.announce`) after that.
 * - Of one level no two trials are about the same key, and while there is one nobody else changes that key there.
 */
import { FleetError } from '#fleet-server/errors.ts';
import { acceptedPatch, type CheckedPatch } from '#fleet-server/settings/check-patch.ts';
import type { Outgoing } from '#fleet-server/settings/desired-outbox.ts';
import type { Author, Settings } from '#fleet-server/settings/settings.ts';
import type { Scope } from '#fleet-server/settings/settings-store.ts';
import * as store from '#fleet-server/settings/trials-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { RevisionChange, SettingsPatch } from '#protocol/model/settings.ts';
import type { SettingProblem } from '#protocol/settings.ts';

export type NewTrial = Scope & {
  readonly id: string;
  readonly level: 'fleet' | 'group';
  readonly patch: SettingsPatch;
  readonly startedAtMs: number;
  readonly startedBy: string;
};

export class SettingsTrials {
  readonly #settings: Pick<Settings, 'change' | 'refresh' | 'changesAt'>;
  readonly #secrets: Secrets;

  constructor(options: { readonly settings: Pick<Settings, 'change' | 'refresh' | 'changesAt'>; readonly secrets: Secrets }) {
    this.#settings = options.settings;
    this.#secrets = options.secrets;
  }

  /** It is in force nowhere yet. Answers what it changes at its level. */
  async begin(transaction: Database, { patch: raw, ...trial }: NewTrial): Promise<RevisionChange[]> {
    const patch = acceptedPatch(raw);
    refuseUnderTrial(await store.trialsAt(transaction, this.#secrets, trial), patch);
    const changes = await this.#settings.changesAt(transaction, trial, patch);
    if (changes.length === 0) throw new FleetError('settings-refused', 'Nothing to roll out: all of this is set there already.');
    const { id, level, scope, startedAtMs, startedBy } = trial;
    await store.insertTrial(transaction, this.#secrets, { id, level, scope, startedAtMs, startedBy, patch });
    return changes;
  }

  async give(transaction: Database, id: string, deviceIds: readonly string[]): Promise<Outgoing[]> {
    await store.addTrialDevices(transaction, id, deviceIds);
    return this.#settings.refresh(transaction, await this.#find(transaction, id), new Set(deviceIds));
  }

  async take(transaction: Database, id: string, deviceIds: readonly string[]): Promise<Outgoing[]> {
    await store.removeTrialDevices(transaction, id, deviceIds);
    return this.#settings.refresh(transaction, await this.#find(transaction, id), new Set(deviceIds));
  }

  /** The level is changed: those that did not have it get it, to the others nothing changes. */
  async adopt(
    transaction: Database,
    id: string,
    author: Author,
  ): Promise<{ readonly outgoing: Outgoing[]; readonly revision: number | null }> {
    const trial = await this.#find(transaction, id);
    await store.deleteTrial(transaction, id);
    return this.#settings.change(transaction, trial, trial.patch, author);
  }

  /** As if it had never been. */
  async drop(transaction: Database, id: string): Promise<Outgoing[]> {
    const [trial, deviceIds] = await Promise.all([this.#find(transaction, id), store.trialDevices(transaction, id)]);
    await store.deleteTrial(transaction, id);
    return this.#settings.refresh(transaction, trial, deviceIds);
  }

  async #find(database: Database, id: string): Promise<store.Trial> {
    const trial = await store.findTrial(database, this.#secrets, id);
    if (trial === undefined) throw new FleetError('not-found', `Expected the id of a trial that is under way, got ${JSON.stringify(id)}.`);
    return trial;
  }
}

export function refuseUnderTrial(trials: readonly store.Trial[], patch: CheckedPatch): void {
  const [first] = keysUnderTrial(trials, [...patch.keys()]);
  if (first === undefined) return;
  throw new FleetError('under-way', `${first.key} is being rolled out there (roll-out ${first.id}): let that end, or roll it back, first.`);
}

/** Why nothing could be set of those of these keys that are being rolled out. */
export function trialProblems(trials: readonly store.Trial[], keys: readonly string[]): SettingProblem[] {
  return keysUnderTrial(trials, keys).map(({ key, id }) => ({
    key,
    expected: `no roll-out of it under way there: let roll-out ${id} end, or roll it back, first`,
    came: `roll-out ${id}`,
  }));
}

function keysUnderTrial(trials: readonly store.Trial[], keys: readonly string[]): { readonly key: string; readonly id: string }[] {
  return trials.flatMap(({ id, patch }) => keys.filter((key) => patch.has(key)).map((key) => ({ key, id })));
}
