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
import { deviceNotFound, FleetError } from '#fleet-server/errors.ts';
import type { Log } from '#fleet-server/log.ts';
import { checkPatch } from '#fleet-server/settings/check-patch.ts';
import {
  canonicalJson,
  type DesiredContent,
  desiredContent,
  type LevelValues,
  nextRevision,
} from '#fleet-server/settings/desired-document.ts';
import { deviceSettings, shownValue } from '#fleet-server/settings/provenance.ts';
import { parseRefusals } from '#fleet-server/settings/settings-state.ts';
import {
  createSettingsStore,
  isSecret,
  type RevisionRow,
  type Scope,
  type SettingsStore,
  type StoredSetting,
} from '#fleet-server/settings/settings-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { Applied, Desired, Hello, RelayTarget, Report } from '#protocol/messages.ts';
import type { AuditChange } from '#protocol/model/audit.ts';
import type { Change } from '#protocol/model/change.ts';
import type { DeviceSettings, LevelSettings, SettingsPatch } from '#protocol/model/settings.ts';
import type { SettingValue } from '#protocol/settings.ts';

export type SettingsOptions = {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditLog;
  /** Where a device of the fleet streams to when nobody says otherwise. */
  relayTarget(deviceId: string, keyGeneration: number): RelayTarget | null;
  reportOf(deviceId: string): Report | null;
  isConnected(deviceId: string): boolean;
  publish(deviceId: string, desired: Desired): Promise<unknown>;
  /** Wakes the servers that devices under this level may be connected to. */
  tellOthers(where: Scope): void;
  publishChange(change: Change): void;
};

type Outgoing = { readonly deviceId: string; readonly desired: Desired };

export class Settings {
  readonly #options: SettingsOptions;
  readonly #store: SettingsStore;

  constructor(options: SettingsOptions) {
    this.#options = options;
    this.#store = createSettingsStore(options.secrets);
  }

  /** The relay's port may have changed since the last start: that is a new revision for every device. */
  async start(): Promise<void> {
    await inTransaction(this.#options.database, (transaction) => this.#refresh(transaction, { level: 'fleet', scope: '' }));
  }

  async ofDevice(deviceId: string): Promise<DeviceSettings> {
    const { database } = this.#options;
    const row = await this.#revisionOf(database, deviceId);
    const [fleet, group, device] = await Promise.all([
      this.#store.read(database, { level: 'fleet', scope: '' }),
      row.groupName === null ? [] : this.#store.read(database, { level: 'group', scope: row.groupName }),
      this.#store.read(database, { level: 'device', scope: deviceId }),
    ]);
    const revision = { ...row, refusals: parseRefusals(row.refusals) };
    return deviceSettings({ fleet, group, device, report: this.#options.reportOf(deviceId), revision });
  }

  async ofLevel(level: 'fleet' | 'group', scope: string): Promise<LevelSettings> {
    const rows = await this.#store.read(this.#options.database, { level, scope });
    const settings = rows
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .map((row) => ({ key: row.key, value: shownValue(row), setAt: new Date(row.setAtMs).toISOString(), setBy: row.setBy }));
    return { level, scope, settings };
  }

  async patch(where: Scope, raw: SettingsPatch, changedBy: string): Promise<void> {
    const verdict = checkPatch(raw);
    if (verdict.kind === 'problems') {
      const list = verdict.problems.map(({ key, expected, came }) => `${key}: expected ${expected}, got ${came}`).join('; ');
      throw new FleetError('settings-refused', `Nothing was changed. ${list}.`, { problems: verdict.problems });
    }
    const { audit } = this.#options;
    const outgoing = await inTransaction(this.#options.database, async (transaction) => {
      if (where.level === 'device') await this.#revisionOf(transaction, where.scope);
      const before = new Map((await this.#store.read(transaction, where)).map((setting) => [setting.key, setting.value]));
      const changedAtMs = this.#options.clock.nowMs();
      const changes: AuditChange[] = [];
      for (const [key, after] of verdict.patch) {
        const was = before.get(key) ?? null;
        if (was === after) continue;
        if (after === null) await this.#store.remove(transaction, { ...where, key });
        else await this.#store.write(transaction, { ...where, key, value: after, setAtMs: changedAtMs, setBy: changedBy });
        await this.#store.recordChange(transaction, { ...where, key, before: was, after, changedAtMs, changedBy });
        changes.push({ field: key, before: auditText(key, was), after: auditText(key, after) });
      }
      await this.#store.pruneChanges(transaction);
      const subject = where.level === 'fleet' ? 'fleet' : where.scope;
      if (changes.length > 0) await audit.append(transaction, { actor: changedBy, action: 'settings-changed', subject, changes });
      return this.#refresh(transaction, where);
    });
    this.#send(outgoing);
    this.#options.tellOthers(where);
    if (where.level !== 'device') this.#options.publishChange({ subject: 'fleet-settings' });
  }

  /** After a device came to another group, or got another stream key. */
  async refreshDevice(database: Database, deviceId: string): Promise<() => void> {
    const outgoing = await this.#refresh(database, { level: 'device', scope: deviceId });
    return () => {
      this.#send(outgoing);
      this.#options.tellOthers({ level: 'device', scope: deviceId });
    };
  }

  /**
   * Sends what is desired to those of the devices under `where` that are connected here and have said neither that it is in force nor that
   * they refuse it: changed at another server, lost on the way, or drifted.
   */
  async sendAgain(where: Scope): Promise<void> {
    const { database, isConnected } = this.#options;
    const rows = await this.#store.unconfirmed(database, where);
    const here = rows.filter(({ id }) => isConnected(id));
    if (here.length === 0) return;
    const levels = await this.#levels(database, where, here);
    const outgoing = here.map((row) => {
      const content = levels(row);
      return { deviceId: row.id, desired: { revision: row.desiredRevision, digest: digestOf(content), ...content } };
    });
    // What does not fit the digest changed just now, and is sent by whoever changed it.
    this.#send(outgoing.filter(({ desired }, index) => desired.digest === here[index]?.desiredDigest));
  }

  async onHello(deviceId: string, hello: Hello): Promise<void> {
    const desired = await inTransaction(this.#options.database, async (transaction) => {
      const row = await this.#store.revision(transaction, deviceId);
      if (row === undefined) return undefined;
      const levels = await this.#levels(transaction, { level: 'device', scope: deviceId }, [row]);
      const content = levels(row);
      const digest = digestOf(content);
      const next = nextRevision(row, digest, { revision: hello.appliedRevision, digest: hello.appliedDigest });
      await this.#confirm(transaction, row, next, hello.appliedRevision);
      const isSame = hello.appliedRevision === next.desiredRevision && hello.appliedDigest === digest;
      return isSame ? undefined : { revision: next.desiredRevision, digest, ...content };
    });
    if (desired !== undefined) this.#send([{ deviceId, desired }]);
    this.#options.publishChange({ subject: 'device-settings', deviceId });
  }

  async onApplied(deviceId: string, applied: Applied): Promise<void> {
    const { database, clock } = this.#options;
    const row = await this.#store.revision(database, deviceId);
    if (row === undefined || applied.revision < row.outcomeRevision) return;
    await this.#store.saveRevision(database, deviceId, {
      outcomeRevision: applied.revision,
      outcome: applied.outcome,
      refusals: JSON.stringify(applied.refusals),
      appliedRevision: applied.inForceRevision,
      appliedAtMs: clock.nowMs(),
    });
    this.#options.publishChange({ subject: 'device-settings', deviceId });
    this.#options.publishChange({ subject: 'device', deviceId });
  }

  async onReport(deviceId: string, report: Report): Promise<void> {
    const { database } = this.#options;
    const row = await this.#store.revision(database, deviceId);
    if (row !== undefined) await this.#confirm(database, row, row, report.appliedRevision);
    this.#options.publishChange({ subject: 'device-settings', deviceId });
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
    await this.#store.saveRevision(database, row.id, { ...columns, appliedAtMs });
  }

  async #revisionOf(database: Database, deviceId: string): Promise<RevisionRow> {
    const row = await this.#store.revision(database, deviceId);
    if (row === undefined) throw deviceNotFound(deviceId);
    return row;
  }

  /** Gives each device under `where` the revision that its content asks for; answers what must be sent. */
  async #refresh(database: Database, where: Scope): Promise<Outgoing[]> {
    const rows = await this.#store.revisions(database, where);
    const levels = await this.#levels(database, where, rows);
    const outgoing: Outgoing[] = [];
    for (const row of rows) {
      const content = levels(row);
      const digest = digestOf(content);
      if (digest === row.desiredDigest) continue;
      const next = nextRevision(row, digest, null);
      await this.#store.saveRevision(database, row.id, next);
      outgoing.push({ deviceId: row.id, desired: { revision: next.desiredRevision, digest, ...content } });
    }
    return outgoing;
  }

  /** Reads every level that the devices need in one query each. */
  async #levels(database: Database, where: Scope, rows: readonly RevisionRow[]): Promise<(row: RevisionRow) => DesiredContent> {
    const group = where.level === 'device' ? (rows[0]?.groupName ?? null) : where.level === 'group' ? where.scope : undefined;
    const [fleet, groups, devices] = await Promise.all([
      this.#store.read(database, { level: 'fleet', scope: '' }),
      group === undefined
        ? this.#store.readAll(database, 'group')
        : group === null
          ? []
          : this.#store.read(database, { level: 'group', scope: group }),
      where.level === 'device' ? this.#store.read(database, where) : this.#store.readAll(database, 'device'),
    ]);
    const fleetValues = valuesByScope(fleet).get('') ?? {};
    const groupValues = valuesByScope(groups);
    const deviceValues = valuesByScope(devices);
    return (row) =>
      desiredContent({
        fleet: fleetValues,
        group: row.groupName === null ? {} : (groupValues.get(row.groupName) ?? {}),
        device: deviceValues.get(row.id) ?? {},
        relay: this.#options.relayTarget(row.id, row.keyGeneration),
      });
  }

  #send(outgoing: readonly Outgoing[]): void {
    for (const { deviceId, desired } of outgoing) {
      this.#options.publishChange({ subject: 'device-settings', deviceId });
      this.#options.publishChange({ subject: 'device', deviceId });
      // One that is not connected gets it with its hello.
      if (!this.#options.isConnected(deviceId)) continue;
      this.#options.publish(deviceId, desired).catch((err: unknown) => {
        this.#options.log.error({ err, deviceId }, 'a desired document could not be sent');
      });
    }
  }
}

/** As it may be shown to whoever reads the audit log. */
function auditText(key: string, value: SettingValue | null): string | null {
  return value !== null && isSecret(key) ? hiddenSecret : shown(value);
}

function digestOf(content: DesiredContent): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}

function valuesByScope(settings: readonly StoredSetting[]): Map<string, LevelValues> {
  const scopes = new Map<string, Record<string, SettingValue>>();
  for (const { scope, key, value } of settings) {
    const values = scopes.get(scope) ?? {};
    values[key] = value;
    scopes.set(scope, values);
  }
  return scopes;
}
