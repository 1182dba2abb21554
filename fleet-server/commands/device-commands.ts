/**
 * One-shot requests to devices: asked, stored, sent, done once.
 *
 * INVARIANTS
 * - A command is stored before it is sent, and sent again at each hello until its deadline; the device does it once.
 * - Its first result counts. Without one it is `expired` at its deadline. How far a device is with it changes nothing but what is shown.
 * - Only what was not sent yet can be withdrawn; one that was on its way in that very moment still says what became of it.
 * - In a maintenance window nothing of the watchdog's is sent, and what it had asked for before is taken back unless the device has begun it.
 * - A device has at most `maxOpen` open commands and `maxKept` in all.
 */
import { randomUUID } from 'node:crypto';
import { type AuditLog, countedDevices } from '#fleet-server/audit/audit-log.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { entryOfCommand } from '#fleet-server/commands/command-entry.ts';
import * as store from '#fleet-server/commands/commands-store.ts';
import { deviceNotFound, FleetError } from '#fleet-server/errors.ts';
import type { NewHistoryEntry } from '#fleet-server/history/device-history.ts';
import type { Log } from '#fleet-server/log.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { checkArguments } from '#protocol/command-arguments.ts';
import { commandDefinitions, isCommandKind, isFilledInByServer, mayBeAskedFor } from '#protocol/commands.ts';
import type { Command, CommandProgress, CommandResult } from '#protocol/messages.ts';
import type { Change } from '#protocol/model/change.ts';
import { type BatchStatus, type CommandList, type CommandStatus, maxBatchDevices } from '#protocol/model/command.ts';
import type { DeviceMaintenance } from '#protocol/model/maintenance.ts';
import type { RecordingsPage } from '#protocol/recordings.ts';

export type NewCommand = {
  readonly deviceId: string;
  readonly kind: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** A person's name, or `watchdog`. */
  readonly requestedBy: string;
  /** How long it may take; what its kind says unless given. */
  readonly deadlineMs?: number;
  /** The server sends it without having been asked: kinds that nobody may ask for are refused without this. */
  readonly isServersOwn?: true;
  /** Why it is asked for, where that is known: stored in the device's history with the command, or not at all. */
  readonly historyEntry?: NewHistoryEntry;
};

/** Whom a command to several devices is for. */
export type Among =
  | { readonly kind: 'devices'; readonly deviceIds: readonly string[] }
  | { readonly kind: 'group' | 'tag'; readonly name: string }
  /** Those that match what was asked for, at this moment. */
  | { readonly kind: 'matching'; readonly deviceIds: readonly string[] };

export type DeviceCommandsOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditLog;
  isKnown(deviceId: string): boolean;
  isAnyWindowOpen(): boolean;
  /** The maintenance window that the device is in; null: none. */
  windowOf(deviceId: string): DeviceMaintenance | null;
  publish(deviceId: string, command: Command): Promise<'sent' | 'offline'>;
  isConnected(deviceId: string): boolean;
  /** A result may be lost between the broker and a server that ends at that moment: what has none is sent again now and then. */
  mayLoseResults(): boolean;
  /** Wakes the server that the device may be connected to. */
  tellOthers(deviceId: string): void;
  /** Whether this server does what is done at one alone. */
  isLeader(): boolean;
  publishChange(change: Change): void;
  appendHistory(entry: NewHistoryEntry): Promise<void>;
  appendHistoryIn(transaction: Database, entry: NewHistoryEntry): Promise<void>;
  /** What this server fills in itself, and what stands in no table of commands. */
  readonly secretArguments: {
    prepare(transaction: Database, deviceId: string): Promise<void>;
    announce(deviceId: string): Promise<void>;
    of(deviceId: string): Promise<Record<string, unknown>>;
  };
};

const maxOpen = 20;
const maxKept = 200;
/** Lists of recordings of a device, each up to 30 kB: of older ones only that they were asked for is known. */
const keptLists = 10;
const maxArgumentsLength = 4096;
const expiryTickMs = 1000;
/** For what no message told of. */
const lookTickMs = 5000;
/** A device that has done it says its result again. Looked at each time that commands are looked for. */
const sendAgainAfterMs = 10_000;
const askedFor = Object.keys(commandDefinitions).filter((kind) => isCommandKind(kind) && mayBeAskedFor(kind));
const tooManyOpen = `Expected at most ${maxOpen} commands that wait for this device.`;
const states = ['waiting', 'sent', 'done', 'failed', 'refused', 'expired', 'withdrawn'] as const;

export class DeviceCommands {
  readonly #options: DeviceCommandsOptions;
  #stopExpiry: (() => void) | null = null;
  #stopLooking: () => void = () => {};
  #expiring: Promise<void> | null = null;

  constructor(options: DeviceCommandsOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, isLeader } = this.#options;
    this.#stopLooking = clock.every(lookTickMs, () => void this.#sendWaiting());
    this.#stopExpiry = clock.every(expiryTickMs, () => {
      if (!isLeader()) return;
      this.#expiring ??= this.expireOverdue()
        .then(() => this.#takeBackInWindows())
        .catch((err: unknown) =>
          this.#options.log.error({ err }, 'overdue commands, or those of the watchdog in a maintenance window, could not be marked'),
        )
        .finally(() => {
          this.#expiring = null;
        });
    });
  }

  async stop(): Promise<void> {
    this.#stopExpiry?.();
    this.#stopLooking();
    this.#stopExpiry = null;
    await this.#expiring;
  }

  /** Resolves when the command is stored, and then sends it; rejects with a FleetError when device, kind or arguments are not right. */
  async request(request: NewCommand): Promise<CommandStatus> {
    const { database, audit } = this.#options;
    const row: store.NewCommandRow = { ...this.#row(request), deviceId: request.deviceId };
    await inTransaction(database, async (transaction) => {
      if (!(await store.devicesAmong(transaction, [row.deviceId])).has(row.deviceId)) throw deviceNotFound(row.deviceId);
      const open = await store.openCommands(transaction, row.deviceId, row.requestedAtMs);
      if (open.length >= maxOpen) throw new FleetError('too-many', tooManyOpen);
      await store.insertCommands(transaction, [row]);
      if (hasSecret(row)) await this.#options.secretArguments.prepare(transaction, row.deviceId);
      await store.pruneCommands(transaction, row.deviceId, maxKept);
      if (row.requestedBy !== 'watchdog') await audit.append(transaction, entryOfCommand(row, row.deviceId));
      if (request.historyEntry !== undefined) await this.#options.appendHistoryIn(transaction, request.historyEntry);
    });
    if (request.historyEntry !== undefined) this.#options.publishChange({ subject: 'device-history', deviceId: row.deviceId });
    if (row.requestedBy !== 'watchdog') await this.#tellHistory(row);
    if (hasSecret(row)) await this.#options.secretArguments.announce(row.deviceId);
    this.#changed(row.deviceId);
    this.#send(row);
    return toStatus(row);
  }

  /**
   * The same of several devices. Each has a result of its own; one that cannot take it has it at once. One that is removed in that very moment is
   * left out, as it would be a moment later.
   */
  async requestMany(request: Omit<NewCommand, 'deviceId' | 'isServersOwn' | 'historyEntry'>, among: Among): Promise<BatchStatus> {
    const { database, clock, audit, isKnown } = this.#options;
    const batchId = randomUUID();
    const shared = { ...this.#row(request), batchId };
    const deviceIds = await idsOf(database, among);
    const unknown = deviceIds.find((deviceId) => !isKnown(deviceId));
    if (unknown !== undefined && among.kind === 'devices') throw deviceNotFound(unknown);
    if (deviceIds.length > maxBatchDevices) throw wrongField(among.kind, `at most ${maxBatchDevices} devices`, String(deviceIds.length));
    const rows = await inTransaction(database, async (transaction) => {
      const found = await store.devicesAmong(transaction, deviceIds);
      const there = deviceIds.filter((deviceId) => found.has(deviceId));
      if (there.length === 0) throw nobodyAmong(among);
      const open = await store.openCounts(transaction, clock.nowMs());
      const made = there.map((deviceId): store.NewCommandRow => {
        const row = { ...shared, id: randomUUID(), deviceId };
        if ((open.get(deviceId) ?? 0) < maxOpen) return row;
        return { ...row, state: 'refused', finishedAtMs: row.requestedAtMs, detail: tooManyOpen };
      });
      await store.insertCommands(transaction, made);
      for (const row of made) {
        await store.pruneCommands(transaction, row.deviceId, maxKept);
        if (hasSecret(row) && row.state === 'waiting') await this.#options.secretArguments.prepare(transaction, row.deviceId);
      }
      const subject = `${countedDevices(made.length)}${'name' in among ? ` of the ${among.kind} ${among.name}` : ''}`;
      await audit.append(transaction, entryOfCommand(shared, subject, there));
      return made;
    });
    // Together they wait for the disk once.
    await Promise.all(rows.map((row) => this.#tellHistory(row)));
    for (const row of rows) {
      if (hasSecret(row)) await this.#options.secretArguments.announce(row.deviceId);
      this.#changed(row.deviceId);
      if (row.state === 'waiting') this.#send(row);
    }
    return toBatch(batchId, rows);
  }

  async findBatch(batchId: string): Promise<BatchStatus> {
    const rows = await store.commandsOfBatch(this.#options.database, batchId);
    if (rows.length === 0) throw new FleetError('command-not-found', 'Expected the id of a command to several devices.');
    return toBatch(batchId, rows);
  }

  /** All of a command but its device; throws a FleetError where kind or arguments are not right. */
  #row(request: Omit<NewCommand, 'deviceId'>): Omit<store.NewCommandRow, 'deviceId'> {
    const { kind } = request;
    if (!isCommandKind(kind) || !(mayBeAskedFor(kind) || request.isServersOwn === true)) {
      throw wrongField('kind', `one of ${askedFor.join(', ')}`, kind.slice(0, 64));
    }
    const checked = isFilledInByServer(kind) ? withoutAny(request.arguments) : checkArguments(kind, request.arguments);
    if (checked.kind === 'problem') throw wrongField('arguments', `those of ${kind}`, checked.problem);
    const argumentsText = JSON.stringify(request.arguments);
    if (argumentsText.length > maxArgumentsLength) {
      throw wrongField('arguments', `at most ${maxArgumentsLength} characters of JSON`, `${argumentsText.length}`);
    }
    const requestedAtMs = this.#options.clock.nowMs();
    return {
      id: randomUUID(),
      kind,
      arguments: argumentsText,
      state: 'waiting',
      requestedBy: request.requestedBy,
      requestedAtMs,
      deadlineMs: requestedAtMs + (request.deadlineMs ?? commandDefinitions[kind].deadlineMs),
      finishedAtMs: null,
      detail: '',
      begunAtMs: null,
      elapsedMs: null,
      progress: null,
      lines: null,
      recordings: null,
      batchId: null,
    };
  }

  #tellHistory({ deviceId, kind, requestedBy }: store.NewCommandRow): Promise<void> {
    return this.#options.appendHistory({ deviceId, origin: 'person', kind, detail: `${titleOf(kind)}: asked for by ${requestedBy}.` });
  }

  /** The device is back: what is still in time is sent again. */
  async onHello(deviceId: string): Promise<void> {
    for (const row of await store.openCommands(this.#options.database, deviceId, this.#options.clock.nowMs())) this.#send(row);
  }

  /** Asked for at another server: sent if the device is connected here. */
  onAskedElsewhere(deviceId: string): void {
    if (!this.#options.isConnected(deviceId)) return;
    this.onHello(deviceId).catch((err: unknown) => this.#options.log.error({ err, deviceId }, 'commands could not be read'));
  }

  async onProgress(deviceId: string, { id, elapsedMs, detail }: CommandProgress): Promise<void> {
    const { database, clock } = this.#options;
    const said = { id, deviceId, begunAtMs: clock.nowMs() - elapsedMs, elapsedMs, progress: detail };
    if (await store.noteProgress(database, said)) this.#changed(deviceId);
  }

  async onResult(deviceId: string, result: CommandResult): Promise<void> {
    const { database, clock, appendHistory } = this.#options;
    const command = await store.findCommand(database, deviceId, result.id);
    if (command === undefined) return;
    const lines = result.lines === undefined ? null : JSON.stringify(result.lines);
    const recordings = result.recordings === undefined ? null : JSON.stringify(result.recordings);
    const finished = {
      id: result.id,
      deviceId,
      state: result.outcome,
      finishedAtMs: clock.nowMs(),
      detail: result.detail,
      lines,
      recordings,
    };
    if (!(await store.finish(database, finished)) || command.state === result.outcome) return;
    if (recordings !== null) await store.forgetOlderLists(database, deviceId, keptLists);
    const detail = `${command.kind}: ${result.outcome}${result.detail === '' ? '' : `, ${result.detail}`}`;
    await appendHistory({ deviceId, origin: 'device', kind: 'command-result', detail });
    this.#changed(deviceId);
  }

  async expireOverdue(): Promise<void> {
    const { database, clock } = this.#options;
    for (const { deviceId } of await store.expire(database, clock.nowMs(), 'No result came before the deadline.')) this.#changed(deviceId);
  }

  async #takeBackInWindows(): Promise<void> {
    const { database, clock, isAnyWindowOpen, windowOf, appendHistoryIn, publishChange } = this.#options;
    if (!isAnyWindowOpen()) return;
    for (const { id, deviceId, kind } of await store.unbegunOfWatchdog(database, clock.nowMs())) {
      const window = windowOf(deviceId);
      if (window === null) continue;
      const detail = `Taken back: a maintenance window is open until ${window.until} (${window.reason}).`;
      const isTakenBack = await inTransaction(database, async (transaction) => {
        if (!(await store.withdrawUnbegun(transaction, id, clock.nowMs(), detail))) return false;
        await appendHistoryIn(transaction, {
          deviceId,
          origin: 'server',
          kind: 'command-withdrawn',
          detail: `${titleOf(kind)}: ${detail}`,
        });
        return true;
      });
      if (!isTakenBack) continue;
      publishChange({ subject: 'device-history', deviceId });
      this.#changed(deviceId);
    }
  }

  async #sendWaiting(): Promise<void> {
    const { database, clock, log, isConnected } = this.#options;
    try {
      // What waits for devices that are away must not hide what those that are there could be sent.
      const here = (await store.waitingDevices(database, clock.nowMs())).filter(isConnected);
      if (here.length > 0) for (const row of await store.waitingCommands(database, here, clock.nowMs())) this.#send(row);
      if (!this.#options.mayLoseResults() || !this.#options.isLeader()) return;
      for (const row of await store.sentCommands(database, clock.nowMs(), sendAgainAfterMs)) if (isConnected(row.deviceId)) this.#send(row);
    } catch (err) {
      log.error({ err }, 'commands that wait could not be read');
    }
  }

  async find(deviceId: string, id: string): Promise<CommandStatus> {
    const row = await store.findCommand(this.#options.database, deviceId, id);
    if (row === undefined) throw new FleetError('command-not-found', 'Expected the id of a command of this device.');
    if (row.recordings === null) return toStatus(row);
    return { ...toStatus(row), recordings: JSON.parse(row.recordings) as RecordingsPage };
  }

  /** Without the recordings that a command has listed: `find` has them. */
  async list(deviceId: string, limit: number): Promise<CommandList> {
    const rows = await store.newestCommands(this.#options.database, deviceId, limit);
    return { commands: rows.map(toStatus) };
  }

  /** Takes back what the device has not been sent yet; rejects with a FleetError when it has. */
  async withdraw(deviceId: string, id: string, by: string): Promise<CommandStatus> {
    const { database, clock, appendHistory, audit } = this.#options;
    const { kind } = await this.find(deviceId, id);
    await inTransaction(database, async (transaction) => {
      if (!(await store.withdraw(transaction, id, clock.nowMs(), `Taken back by ${by}.`))) {
        throw new FleetError('already-sent', 'Expected a command that waits: the device has this one, or it is over.');
      }
      const changes = [{ field: 'command', before: kind, after: null }];
      await audit.append(transaction, { actor: by, action: 'command-withdrawn', subject: deviceId, changes });
    });
    await appendHistory({ deviceId, origin: 'person', kind: 'command-withdrawn', detail: `${titleOf(kind)}: taken back by ${by}.` });
    this.#changed(deviceId);
    return this.find(deviceId, id);
  }

  #send(row: store.NewCommandRow): void {
    const { database, log, publish, tellOthers, windowOf } = this.#options;
    if (row.requestedBy === 'watchdog' && row.begunAtMs === null && windowOf(row.deviceId) !== null) return;
    const given = hasSecret(row)
      ? this.#options.secretArguments.of(row.deviceId)
      : Promise.resolve(JSON.parse(row.arguments) as Record<string, unknown>);
    given
      .then((values) => {
        const { deviceId, id, kind, deadlineMs } = row;
        return publish(deviceId, { id, kind, arguments: values, deadline: timestamp(deadlineMs), tellProgress: true });
      })
      .then(async (outcome) => {
        if (outcome === 'offline') tellOthers(row.deviceId);
        else if (await store.markSent(database, row.id)) this.#changed(row.deviceId);
      })
      .catch((err: unknown) => log.error({ err, deviceId: row.deviceId, commandId: row.id }, 'a command could not be sent'));
  }

  #changed(deviceId: string): void {
    this.#options.publishChange({ subject: 'commands', deviceId });
  }
}

function titleOf(kind: string): string {
  return isCommandKind(kind) ? commandDefinitions[kind].title : kind;
}

function hasSecret({ kind }: Pick<store.NewCommandRow, 'kind'>): boolean {
  return isCommandKind(kind) && isFilledInByServer(kind);
}

function withoutAny(given: Readonly<Record<string, unknown>>) {
  if (Object.keys(given).length === 0) return { kind: 'arguments' } as const;
  return { kind: 'problem', problem: 'some: this server fills them in' } as const;
}

function idsOf(database: Database, among: Among): Promise<readonly string[]> {
  switch (among.kind) {
    case 'devices':
    case 'matching':
      return Promise.resolve(among.deviceIds);
    case 'group':
      return store.deviceIdsOfGroup(database, among.name);
    case 'tag':
      return store.deviceIdsWithTag(database, among.name);
    default:
      return among satisfies never;
  }
}

function nobodyAmong(among: Among): FleetError {
  switch (among.kind) {
    case 'devices':
      return deviceNotFound(among.deviceIds.join(', '));
    case 'matching':
      return wrongField(among.kind, 'devices that match', 'none');
    case 'group':
    case 'tag':
      return wrongField(among.kind, `a ${among.kind} with devices in it`, 'one without');
    default:
      return among satisfies never;
  }
}

function wrongField(key: string, expected: string, came: string): FleetError {
  return new FleetError('wrong-fields', `Expected in ${key} ${expected}, got ${came}.`, {
    problems: [{ key: `body/${key}`, expected, came }],
  });
}

function toBatch(id: string, rows: readonly store.NewCommandRow[]): BatchStatus {
  const statuses = rows.map((row) => ({ deviceId: row.deviceId, ...toStatus(row) }));
  const [first] = statuses;
  const count = (...wanted: readonly string[]) => statuses.filter(({ state }) => wanted.includes(state)).length;
  return {
    id,
    kind: first?.kind ?? '',
    requestedBy: first?.requestedBy ?? '',
    requestedAt: first?.requestedAt ?? '',
    deadline: first?.deadline ?? '',
    progress: {
      total: statuses.length,
      open: count('waiting', 'sent'),
      begun: statuses.filter(({ state, progress }) => state === 'sent' && progress !== undefined).length,
      done: count('done'),
      notDone: count('failed', 'refused', 'expired', 'withdrawn'),
    },
    commands: statuses.map(({ deviceId, id: commandId, state, finishedAt, detail, progress }) => ({
      deviceId,
      id: commandId,
      state,
      finishedAt,
      detail,
      ...(progress === undefined ? {} : { progress }),
    })),
  };
}

function toStatus(row: store.NewCommandRow): CommandStatus {
  return {
    id: row.id,
    kind: row.kind,
    state: states.find((known) => known === row.state) ?? 'failed',
    requestedBy: row.requestedBy,
    requestedAt: timestamp(row.requestedAtMs),
    deadline: timestamp(row.deadlineMs),
    finishedAt: row.finishedAtMs === null ? null : timestamp(row.finishedAtMs),
    detail: row.detail,
    ...(row.begunAtMs === null ? {} : { progress: { begunAt: timestamp(row.begunAtMs), detail: row.progress ?? '' } }),
    ...(row.lines === null ? {} : { lines: JSON.parse(row.lines) as string[] }),
  };
}
