/**
 * Settings at the levels of the fleet, the groups and the devices, and the revision of each device's desired document.
 *
 * INVARIANTS
 * - A change and the new revision of every device that it touches are one transaction; they are published after it.
 * - A device's revision only grows, and grows exactly when the content differs.
 * - Nothing is in force because it was sent: only the device's own word (`applied`, `hello`, `report`) says so.
 */

import { createHash } from 'node:crypto';
import { type AuditLog, hiddenSecret, shown } from '#fleet-server/audit/audit-log.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { advance, type MessagePosition } from '#fleet-server/devices/device-positions-store.ts';
import type { LastingReport } from '#fleet-server/devices/kept-report.ts';
import { deviceNotFound, FleetError } from '#fleet-server/errors.ts';
import type { NewHistoryEntry } from '#fleet-server/history/device-history.ts';
import {
  acceptedPatch,
  type CheckedPatch,
  type ReadPatch,
  readPatch,
  readRestored,
  restoredPatch,
} from '#fleet-server/settings/check-patch.ts';
import {
  canonicalJson,
  contentWhileWaiting,
  type DesiredContent,
  desiredContent,
  nextRevision,
} from '#fleet-server/settings/desired-document.ts';
import { DesiredOutbox, type DesiredOutboxOptions, type Outgoing } from '#fleet-server/settings/desired-outbox.ts';
import { driftAfter, driftedKeys, driftWords } from '#fleet-server/settings/drift.ts';
import { readLevels, valuesOf, withPatch } from '#fleet-server/settings/level-values.ts';
import { type PreviewOfDevice, type PreviewPage, previewDevice, previewOf } from '#fleet-server/settings/preview.ts';
import { deviceSettings, shownValue } from '#fleet-server/settings/provenance.ts';
import {
  changedSince,
  type LaterChange,
  laterProblems,
  levelChanges,
  nothingToUndo,
  revisionPage,
  valuesBefore,
} from '#fleet-server/settings/revisions.ts';
import { appendRevision, changesSince, findRevision, type RevisionQuery, revisionsOf } from '#fleet-server/settings/revisions-store.ts';
import { parseRefusals, refusalWords, settingsState } from '#fleet-server/settings/settings-state.ts';
import {
  type ContentRow,
  createSettingsStore,
  type DesiredRow,
  isSecret,
  type RevisionRow,
  type Scope,
  type SettingsStore,
} from '#fleet-server/settings/settings-store.ts';
import { refuseUnderTrial, trialProblems } from '#fleet-server/settings/trials.ts';
import { trialsAt } from '#fleet-server/settings/trials-store.ts';
import { pages, pieces } from '#fleet-server/store/pages.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { maxRevision } from '#protocol/identifiers.ts';
import type { Applied, Hello, RelayTarget } from '#protocol/messages.ts';
import type { SettingsState } from '#protocol/model/device.ts';
import type {
  DeviceSettings,
  LevelSettings,
  RevisionChange,
  RevisionPage,
  SettingsPatch,
  SettingsPreview,
} from '#protocol/model/settings.ts';
import type { SettingValue } from '#protocol/settings.ts';
import { shownSetting } from '#protocol/stream-address.ts';

export type SettingsOptions = DesiredOutboxOptions & {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** Where a device of the fleet streams to when nobody says otherwise. */
  relayTarget(deviceId: string, keyGeneration: number): RelayTarget | null;
  reportOf(deviceId: string): LastingReport | null;
  isOnline(deviceId: string): boolean;
  /** Wakes the servers that devices under this level may be connected to. */
  tellOthers(where: Scope): void;
  appendHistory(entry: NewHistoryEntry): Promise<void>;
};

/** Of a revision. */
export type Author = { readonly by: string; readonly comment: string | null; readonly undoes: number | null };
export type Changed = { readonly outgoing: Outgoing[]; readonly revision: number | null };
/** `shutOut`: why it gets no settings at this moment; null: it does. */
export type DeviceStanding = {
  readonly id: string;
  readonly name: string;
  readonly shutOut: 'blocked' | 'waits-for-approval' | null;
  readonly state: SettingsState;
};
export type UndoOptions = { readonly by: string; readonly comment?: string | null; readonly override?: boolean };

type Before = { readonly raw: SettingsPatch; readonly since: readonly LaterChange[]; readonly isSetNow: boolean };

/** Devices of which it is remembered what was compared last; beyond that it begins anew. */
const maxCompared = 50_000;
/** Of a device this takes some 5 µs. */
const standingsAtOnce = 1000;

export class Settings {
  readonly #options: SettingsOptions;
  /** Of each device what was compared last, if it had not drifted: it need not be read again what each level says. */
  readonly #undrifted = new Map<string, string>();
  /** Devices whose last report said what this server had stored of them, and of which nothing was written since. */
  readonly #settled = new Set<string>();
  #writes = 0;
  readonly #outbox: DesiredOutbox;
  readonly #store: SettingsStore;

  constructor(options: SettingsOptions) {
    this.#options = options;
    this.#outbox = new DesiredOutbox(options);
    this.#store = createSettingsStore(options.secrets);
  }

  /** The relay's port may have changed since the last start: that is a new revision for every device. */
  async start(): Promise<void> {
    await inTransaction(this.#options.database, (transaction) => this.refresh(transaction, { level: 'fleet', scope: '' }));
  }

  stop(): Promise<void> {
    return this.#outbox.stop();
  }

  async ofDevice(deviceId: string): Promise<DeviceSettings> {
    const { database } = this.#options;
    const row = await this.#revisionOf(database, deviceId);
    const levels = await readLevels(this.#store, this.#options.secrets, database, { level: 'device', scope: deviceId }, [row]);
    const revision = { ...row, refusals: parseRefusals(row.refusals) };
    return deviceSettings({ ...levels(row), report: this.#options.reportOf(deviceId), revision });
  }

  async ofLevel(level: 'fleet' | 'group', scope: string): Promise<LevelSettings> {
    const rows = await this.#store.read(this.#options.database, { level, scope });
    const settings = rows
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .map((row) => ({ key: row.key, value: shownValue(row), setAt: new Date(row.setAtMs).toISOString(), setBy: row.setBy }));
    return { level, scope, settings };
  }

  async countsOfGroups(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { scope } of await this.#store.readAll(this.#options.database, 'group')) counts.set(scope, (counts.get(scope) ?? 0) + 1);
    return counts;
  }

  async patch(where: Scope, raw: SettingsPatch, by: string, comment: string | null = null): Promise<void> {
    const patch = acceptedPatch(raw);
    const { outgoing } = await inTransaction(this.#options.database, (transaction) =>
      this.change(transaction, where, patch, { by, comment, undoes: null }),
    );
    this.announce(where, outgoing);
  }

  async revisions(where: Scope, query: RevisionQuery): Promise<RevisionPage> {
    const { database } = this.#options;
    if (where.level === 'device') await this.#revisionOf(database, where.scope);
    return revisionPage(await revisionsOf(database, where, query), query.limit);
  }

  /** Sets again what was set before revision `number`; that is a new revision. */
  async undo(where: Scope, number: number, options: UndoOptions): Promise<void> {
    const { outgoing } = await inTransaction(this.#options.database, (transaction) => this.undoIn(transaction, where, number, options));
    this.announce(where, outgoing);
  }

  /** As `undo`, in a transaction of the caller's. */
  async undoIn(
    transaction: Database,
    where: Scope,
    number: number,
    { override = false, comment = null, by }: UndoOptions,
  ): Promise<Changed> {
    const { raw, since, isSetNow } = await this.#before(transaction, where, number);
    if (!override && since.length > 0) throw changedSince(number, since);
    if (isSetNow) throw nothingToUndo(number);
    return this.change(transaction, where, restoredPatch(raw), { by, comment, undoes: number });
  }

  /** What was set before revision `number`, which of it was changed since, and whether it is all set so now. */
  async #before(database: Database, where: Scope, number: number): Promise<Before> {
    if (where.level === 'device') await this.#revisionOf(database, where.scope);
    const revision = await findRevision(database, where, number);
    if (revision === undefined) throw new FleetError('not-found', `Expected the number of a revision that is kept, got ${number}.`);
    const raw = valuesBefore(revision, this.#options.secrets);
    const now = valuesOf(await this.#store.read(database, where));
    const isSetNow = Object.entries(raw).every(([key, value]) => (now[key] ?? null) === value);
    return { raw, since: await changesSince(database, where, number, Object.keys(raw)), isSetNow };
  }

  /** What the patch would do; changes nothing. */
  async preview(where: Scope, raw: SettingsPatch, shown: PreviewPage): Promise<SettingsPreview> {
    if (where.level === 'device') await this.#revisionOf(this.#options.database, where.scope);
    return this.#preview(where, readPatch(raw), shown);
  }

  /** What `undo` would do; changes nothing. */
  async previewUndo(
    where: Scope,
    number: number,
    { override = false }: Pick<UndoOptions, 'override'>,
    shown: PreviewPage,
  ): Promise<SettingsPreview> {
    const { raw, since, isSetNow } = await this.#before(this.#options.database, where, number);
    if (isSetNow) throw nothingToUndo(number);
    const { patch, problems } = readRestored(raw);
    return this.#preview(where, { patch, problems: [...problems, ...(override ? [] : laterProblems(number, since))] }, shown);
  }

  async #preview(where: Scope, { patch, problems }: ReadPatch, shown: PreviewPage): Promise<SettingsPreview> {
    const { database, secrets, clock, reportOf, isOnline } = this.#options;
    const own = await this.#store.read(database, where);
    const keys = [...patch.keys()];
    const by = { setAtMs: clock.nowMs(), setBy: '' };
    const previewed: PreviewOfDevice[] = [];
    for await (const page of pages((after) => this.#store.page(database, where, after))) {
      const levels = await readLevels(this.#store, secrets, database, where, page);
      for (const { id, name, groupName, waitingSinceMs } of page) {
        // One that waits for approval gets no settings yet, unless they are its own that are looked at.
        if (waitingSinceMs !== null && where.level !== 'device') continue;
        const before = levels({ id, groupName });
        const after = { ...before, [where.level]: withPatch(before[where.level], where, patch, by) };
        previewed.push(previewDevice({ id, name, isOnline: isOnline(id), report: reportOf(id), before, after }, keys));
      }
    }
    const changes = levelChanges(keys, own, withPatch(own, where, patch, by));
    const changed = changes.map(({ key }) => key);
    const tried = where.level === 'device' ? [] : trialProblems(await trialsAt(database, secrets, where), changed);
    return { changes, ...previewOf(previewed, shown), problems: [...problems, ...tried] };
  }

  /** Where the devices under `where` stand with what is desired of them. */
  async standings(database: Database, where: Scope): Promise<DeviceStanding[]> {
    const standings: DeviceStanding[] = [];
    for await (const rows of pages((after) => this.#store.standings(database, where, after), standingsAtOnce)) {
      for (const { id, name, waitingSinceMs, blockedSinceMs, ...row } of rows) {
        const shutOut = blockedSinceMs !== null ? 'blocked' : waitingSinceMs !== null ? 'waits-for-approval' : null;
        standings.push({ id, name, shutOut, state: settingsState({ ...row, refusals: parseRefusals(row.refusals) }) });
      }
    }
    return standings;
  }

  /** What a patch does to the level itself. */
  async changesAt(database: Database, where: Scope, patch: CheckedPatch): Promise<RevisionChange[]> {
    const own = await this.#store.read(database, where);
    return levelChanges([...patch.keys()], own, withPatch(own, where, patch, { setAtMs: 0, setBy: '' }));
  }

  /**
   * Gives the level its new values and each device under it its new revision, in a transaction of the caller's; answers what must be announced
   * after it, and the number of the revision unless there was nothing to change.
   */
  async change(transaction: Database, where: Scope, patch: CheckedPatch, author: Author): Promise<Changed> {
    const { audit, clock, secrets } = this.#options;
    if (where.level === 'device') await this.#revisionOf(transaction, where.scope);
    const before = valuesOf(await this.#store.read(transaction, where));
    const changedAtMs = clock.nowMs();
    const changes = [...patch].map(([key, after]) => ({ key, before: before[key] ?? null, after })).filter((c) => c.before !== c.after);
    if (changes.length === 0) return { outgoing: await this.refresh(transaction, where), revision: null };
    const changed = new Map(changes.map(({ key, after }) => [key, after]));
    if (where.level !== 'device') refuseUnderTrial(await trialsAt(transaction, secrets, where), changed);
    for (const { key, after } of changes) {
      if (after === null) await this.#store.remove(transaction, { ...where, key });
      else await this.#store.write(transaction, { ...where, key, value: after, setAtMs: changedAtMs, setBy: author.by });
    }
    const { comment, undoes } = author;
    const revision = await appendRevision(transaction, secrets, where, { changedAtMs, changedBy: author.by, comment, undoes }, changes);
    await audit.append(transaction, {
      actor: author.by,
      action: 'settings-changed',
      subject: where.level === 'fleet' ? 'fleet' : where.scope,
      changes: changes.map((c) => ({ field: c.key, before: auditText(c.key, c.before), after: auditText(c.key, c.after) })),
    });
    return { outgoing: await this.refresh(transaction, where), revision };
  }

  /** Sends what a transaction answered, after it. */
  announce(where: Scope, outgoing: readonly Outgoing[]): void {
    this.#outbox.send(outgoing);
    this.#options.tellOthers(where);
    if (where.level !== 'device') this.#options.publishChange({ subject: 'fleet-settings' });
  }

  /** After a device came to another group, or got another stream key. */
  async refreshDevice(database: Database, deviceId: string): Promise<() => void> {
    const outgoing = await this.refresh(database, { level: 'device', scope: deviceId });
    return () => {
      this.#outbox.send(outgoing);
      this.#options.tellOthers({ level: 'device', scope: deviceId });
    };
  }

  /** The same after several devices came to `group`, or to none. */
  async refreshMoved(database: Database, deviceIds: readonly string[], group: string | null): Promise<() => void> {
    const where: Scope = group === null ? { level: 'fleet', scope: '' } : { level: 'group', scope: group };
    const outgoing = await this.refresh(database, where, new Set(deviceIds));
    return () => {
      this.#outbox.send(outgoing);
      if (outgoing.length > 0) this.#options.tellOthers(where);
    };
  }

  /**
   * Sends what is desired to those of the devices under `where` that are connected here and have said neither that it is in force nor that
   * they refuse it: changed at another server, lost on the way, or drifted.
   */
  async sendAgain(where: Scope): Promise<void> {
    const { database, isConnected } = this.#options;
    for await (const rows of pages((after) => this.#store.unconfirmed(database, where, after))) {
      const here = rows.filter(({ id }) => isConnected(id));
      if (here.length === 0) continue;
      const contents = await this.#contents(database, where, here);
      const outgoing = here.map((row) => {
        const content = contents(row);
        return { deviceId: row.id, desired: { revision: row.desiredRevision, digest: digestOf(content), ...content } };
      });
      // What does not fit the digest changed just now, and is sent by whoever changed it.
      this.#outbox.send(outgoing.filter(({ desired }, index) => desired.digest === here[index]?.desiredDigest));
    }
  }

  /** `position` where messages may be dealt with in another order than they were sent: what is older than what is stored changes nothing. */
  async onHello(deviceId: string, hello: Hello, position: MessagePosition | null = null): Promise<void> {
    const desired = await inTransaction(this.#options.database, async (transaction) => {
      const row = await this.#store.revision(transaction, deviceId);
      if (row === undefined) return undefined;
      const contents = await this.#contents(transaction, { level: 'device', scope: deviceId }, [row]);
      const content = contents(row);
      const digest = digestOf(content);
      const next = nextRevision(row, digest, { revision: hello.appliedRevision, digest: hello.appliedDigest });
      const isNewest = position === null || (await advance(transaction, deviceId, 'in-force', position));
      await this.#confirm(transaction, row, next, isNewest ? hello.appliedRevision : row.appliedRevision);
      const isSame = hello.appliedRevision === next.desiredRevision && hello.appliedDigest === digest;
      return isSame ? undefined : { revision: next.desiredRevision, digest, ...content };
    });
    if (desired !== undefined) this.#outbox.send([{ deviceId, desired }]);
    this.#options.publishChange({ subject: 'device-settings', deviceId });
  }

  async onApplied(deviceId: string, applied: Applied, position: MessagePosition | null = null): Promise<void> {
    const { database, clock } = this.#options;
    const isNews = await inTransaction(database, async (transaction) => {
      const row = await this.#store.revision(transaction, deviceId);
      if (row === undefined || applied.revision < row.outcomeRevision) return false;
      const isNewest = async (subject: 'outcome' | 'in-force') =>
        position === null || (await advance(transaction, deviceId, subject, position));
      if (!(await isNewest('outcome'))) return false;
      const inForce = (await isNewest('in-force')) ? { appliedRevision: applied.inForceRevision, appliedAtMs: clock.nowMs() } : {};
      await this.#saveRevision(transaction, deviceId, {
        outcomeRevision: applied.revision,
        outcome: applied.outcome,
        refusals: JSON.stringify(applied.refusals),
        ...inForce,
      });
      return true;
    });
    if (!isNews) return;
    this.#options.publishChange({ subject: 'device-settings', deviceId });
    this.#options.publishChange({ subject: 'device', deviceId });
  }

  /** `isAsStored`: it says what the one before it said, and no other server writes what it is compared with. */
  async onReport(
    deviceId: string,
    report: LastingReport,
    { position = null, isAsStored = false }: { readonly position?: MessagePosition | null; readonly isAsStored?: boolean } = {},
  ): Promise<void> {
    const { database, clock } = this.#options;
    if (isAsStored && this.#settled.has(deviceId)) return;
    this.#settled.delete(deviceId);
    const writes = this.#writes;
    const row = await this.#store.revision(database, deviceId);
    const isNews = row !== undefined && row.appliedRevision !== report.appliedRevision;
    if (isNews || position !== null) {
      // Its own columns alone: a change of the settings may have been stored since the row was read.
      const columns = { appliedRevision: report.appliedRevision, appliedAtMs: clock.nowMs() };
      const isNewest = await inTransaction(database, async (transaction) => {
        if (position !== null && !(await advance(transaction, deviceId, 'in-force', position))) return false;
        if (isNews) await this.#saveRevision(transaction, deviceId, columns);
        return true;
      });
      if (!isNewest) return;
    }
    const isAsItShould = row !== undefined && (await this.#lookForDrift(row, report));
    if (isAsItShould && isAsStored && this.#writes === writes) {
      if (this.#settled.size >= maxCompared) this.#settled.clear();
      this.#settled.add(deviceId);
    }
    this.#options.publishChange({ subject: 'device-settings', deviceId });
  }

  async #saveRevision(...[database, deviceId, columns]: Parameters<SettingsStore['saveRevision']>): Promise<void> {
    this.#noteWritten([deviceId]);
    await this.#store.saveRevision(database, deviceId, columns);
  }

  #noteWritten(deviceIds: readonly string[]): void {
    this.#writes += deviceIds.length;
    for (const id of deviceIds) this.#settled.delete(id);
  }

  /**
   * What the device reports is compared with what it confirmed; what drifted is sent again, under a new revision, as it ignores what is not
   * newer. True: it reports what it should.
   */
  async #lookForDrift(known: RevisionRow, report: LastingReport): Promise<boolean> {
    const { database, clock, secrets, appendHistory } = this.#options;
    const deviceId = known.id;
    const compared = comparedForDrift(known, report);
    if (this.#undrifted.get(deviceId) === compared) return true;
    const look = async (at: Database) => {
      const row = await this.#store.revision(at, deviceId);
      if (row === undefined || row.waitingSinceMs !== null) return null;
      const levels = await readLevels(this.#store, secrets, at, { level: 'device', scope: deviceId }, [row]);
      const keys = driftedKeys({ ...row, refusals: [] }, levels(row), report);
      const isWrong = keys !== null && keys !== 'refused' && keys.length > 0;
      return keys !== null && (isWrong || row.driftedSinceMs !== null) ? { row, keys } : null;
    };
    // Nearly always there is nothing to write.
    if ((await look(database)) === null) {
      if (this.#undrifted.size >= maxCompared) this.#undrifted.clear();
      this.#undrifted.set(deviceId, compared);
      return true;
    }
    this.#undrifted.delete(deviceId);
    const step = await inTransaction(database, async (transaction) => {
      const found = await look(transaction);
      if (found === null) return null;
      const { row, keys } = found;
      const { memory, event, isRepair } = driftAfter(row, keys, clock.nowMs());
      const desiredRevision = isRepair ? Math.min(row.desiredRevision + 1, maxRevision) : row.desiredRevision;
      const { driftedSinceMs, driftRepairs, driftRepairAtMs } = memory;
      await this.#saveRevision(transaction, deviceId, {
        ...{ driftedSinceMs, driftedKeys: memory.driftedKeys, driftRepairs, driftRepairAtMs, desiredRevision },
      });
      const about = event === 'refused' ? refusalWords({ ...row, refusals: parseRefusals(row.refusals) }) : memory.driftedKeys;
      return { event, isRepair, about };
    });
    if (step === null) return false;
    if (step.isRepair) await this.sendAgain({ level: 'device', scope: deviceId });
    const { event } = step;
    if (event !== null)
      await appendHistory({ deviceId, origin: 'server', kind: `settings-drift-${event}`, detail: driftWords[event](step.about) });
    return false;
  }

  async #confirm(
    database: Database,
    row: RevisionRow,
    next: Pick<RevisionRow, 'desiredRevision' | 'desiredDigest'>,
    appliedRevision: number,
  ): Promise<void> {
    const isSame =
      row.desiredRevision === next.desiredRevision && row.desiredDigest === next.desiredDigest && row.appliedRevision === appliedRevision;
    if (isSame) return;
    const columns = { desiredRevision: next.desiredRevision, desiredDigest: next.desiredDigest, appliedRevision };
    const appliedAtMs = row.appliedRevision === appliedRevision ? row.appliedAtMs : this.#options.clock.nowMs();
    await this.#saveRevision(database, row.id, { ...columns, appliedAtMs });
  }

  async #revisionOf(database: Database, deviceId: string): Promise<RevisionRow> {
    const row = await this.#store.revision(database, deviceId);
    if (row === undefined) throw deviceNotFound(deviceId);
    return row;
  }

  /** Gives each device under `where`, or `only` those, the revision that its content asks for; answers what must be sent. */
  async refresh(database: Database, where: Scope, only?: ReadonlySet<string>): Promise<Outgoing[]> {
    const outgoing: Outgoing[] = [];
    for await (const rows of this.#rowsUnder(database, where, only)) {
      const contents = await this.#contents(database, where, rows);
      const changed: DesiredRow[] = [];
      for (const row of rows) {
        const content = contents(row);
        const digest = digestOf(content);
        if (digest === row.desiredDigest) continue;
        const next = nextRevision(row, digest, null);
        changed.push({ id: row.id, ...next });
        outgoing.push({ deviceId: row.id, desired: { revision: next.desiredRevision, digest, ...content } });
      }
      this.#noteWritten(changed.map(({ id }) => id));
      await this.#store.saveDesired(database, changed);
    }
    return outgoing;
  }

  async *#rowsUnder(database: Database, where: Scope, only?: ReadonlySet<string>): AsyncGenerator<ContentRow[]> {
    if (only === undefined) {
      yield* pages((after) => this.#store.contentRows(database, where, after));
      return;
    }
    const isUnder = ({ id, groupName }: ContentRow) =>
      where.level === 'fleet' || where.scope === (where.level === 'group' ? groupName : id);
    for await (const ids of pieces([...only])) yield (await this.#store.contentRowsOf(database, ids)).filter(isUnder);
  }

  async #contents(database: Database, where: Scope, rows: readonly ContentRow[]): Promise<(row: ContentRow) => DesiredContent> {
    const levels = await readLevels(this.#store, this.#options.secrets, database, where, rows);
    return (row) => {
      if (row.waitingSinceMs !== null) return contentWhileWaiting;
      const { fleet, group, device } = levels(row);
      const relay = this.#options.relayTarget(row.id, row.keyGeneration);
      return desiredContent({ fleet: valuesOf(fleet), group: valuesOf(group), device: valuesOf(device), relay });
    };
  }
}

/**
 * All that it depends on whether a report is another than it should be, as a hash: what stands at each level is in the digest of the
 * desired document. The same each minute, nearly always.
 */
function comparedForDrift(row: RevisionRow, { appliedRevision, settings }: LastingReport): string {
  const { desiredRevision, desiredDigest, outcomeRevision, outcome, driftedSinceMs } = row;
  const facts = [desiredRevision, desiredDigest, outcomeRevision, outcome, driftedSinceMs, appliedRevision, settings];
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64');
}

/** As it may be shown to whoever reads the audit log. */
function auditText(key: string, value: SettingValue | null): string | null {
  if (value === null) return null;
  return isSecret(key) ? hiddenSecret : shown(shownSetting(key, value));
}

function digestOf(content: DesiredContent): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}
