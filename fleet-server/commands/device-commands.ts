/**
 * One-shot requests to devices: asked, stored, sent, done once.
 *
 * INVARIANTS
 * - A command is stored before it is sent, and sent again at each hello until its deadline; the device does it once.
 * - Its first result counts. Without one it is `expired` at its deadline.
 * - A device has at most `maxOpen` open commands and `maxKept` in all.
 */
import { randomUUID } from 'node:crypto';
import type { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import * as store from '#fleet-server/commands/commands-store.ts';
import { deviceNotFound, FleetError } from '#fleet-server/errors.ts';
import type { NewHistoryEntry } from '#fleet-server/history/device-history.ts';
import type { Log } from '#fleet-server/log.ts';
import type { CommandsTable, Database } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { commandDefinitions, isCommandKind } from '#protocol/commands.ts';
import type { Command, CommandResult } from '#protocol/messages.ts';
import type { Change } from '#protocol/model/change.ts';
import type { CommandList, CommandStatus } from '#protocol/model/command.ts';

export type NewCommand = {
  readonly deviceId: string;
  readonly kind: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** A person's name, or `watchdog`. */
  readonly requestedBy: string;
};

export type DeviceCommandsOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditLog;
  isKnown(deviceId: string): boolean;
  publish(deviceId: string, command: Command): Promise<'sent' | 'offline'>;
  isConnected(deviceId: string): boolean;
  /** Wakes the server that the device may be connected to. */
  tellOthers(deviceId: string): void;
  /** Whether this server does what is done at one alone. */
  isLeader(): boolean;
  publishChange(change: Change): void;
  appendHistory(entry: NewHistoryEntry): Promise<void>;
};

const maxOpen = 20;
const maxKept = 200;
const maxArgumentsLength = 4096;
const expiryTickMs = 1000;
/** For what no message told of. */
const lookTickMs = 5000;
const states = ['waiting', 'sent', 'done', 'failed', 'refused', 'expired'] as const;

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
        .catch((err: unknown) => this.#options.log.error({ err }, 'overdue commands could not be marked'))
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

  /** Resolves when the command is stored, and then sends it; rejects with a FleetError when device or kind are unknown. */
  async request(request: NewCommand): Promise<CommandStatus> {
    const { database, clock, audit, isKnown, appendHistory } = this.#options;
    if (!isKnown(request.deviceId)) throw deviceNotFound(request.deviceId);
    if (!isCommandKind(request.kind))
      throw wrongField('kind', `one of ${Object.keys(commandDefinitions).join(', ')}`, request.kind.slice(0, 64));
    const argumentsText = JSON.stringify(request.arguments);
    if (argumentsText.length > maxArgumentsLength) {
      throw wrongField('arguments', `at most ${maxArgumentsLength} characters of JSON`, `${argumentsText.length}`);
    }
    const requestedAtMs = clock.nowMs();
    const row: CommandsTable = {
      id: randomUUID(),
      deviceId: request.deviceId,
      kind: request.kind,
      arguments: argumentsText,
      state: 'waiting',
      requestedBy: request.requestedBy,
      requestedAtMs,
      deadlineMs: requestedAtMs + commandDefinitions[request.kind].deadlineMs,
      finishedAtMs: null,
      detail: '',
    };
    await inTransaction(database, async (transaction) => {
      const open = await store.openCommands(transaction, row.deviceId, requestedAtMs);
      if (open.length >= maxOpen) throw new FleetError('too-many', `Expected at most ${maxOpen} commands that wait for this device.`);
      await store.insertCommand(transaction, row);
      await store.pruneCommands(transaction, row.deviceId, maxKept);
      if (row.requestedBy === 'watchdog') return;
      const changes = [{ field: 'command', before: null, after: row.kind }];
      await audit.append(transaction, { actor: row.requestedBy, action: 'command-requested', subject: row.deviceId, changes });
    });
    if (row.requestedBy !== 'watchdog') {
      const { title } = commandDefinitions[request.kind];
      await appendHistory({
        deviceId: row.deviceId,
        origin: 'person',
        kind: row.kind,
        detail: `${title}: asked for by ${row.requestedBy}.`,
      });
    }
    this.#changed(row.deviceId);
    this.#send(row);
    return toStatus(row);
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

  async onResult(deviceId: string, result: CommandResult): Promise<void> {
    const { database, clock, appendHistory } = this.#options;
    const command = await store.findCommand(database, deviceId, result.id);
    if (command === undefined) return;
    const finished = { id: result.id, deviceId, state: result.outcome, finishedAtMs: clock.nowMs(), detail: result.detail };
    if (!(await store.finish(database, finished)) || command.state === result.outcome) return;
    const detail = `${command.kind}: ${result.outcome}${result.detail === '' ? '' : `, ${result.detail}`}`;
    await appendHistory({ deviceId, origin: 'device', kind: 'command-result', detail });
    this.#changed(deviceId);
  }

  async expireOverdue(): Promise<void> {
    const { database, clock } = this.#options;
    for (const { deviceId } of await store.expire(database, clock.nowMs(), 'No result came before the deadline.')) this.#changed(deviceId);
  }

  async #sendWaiting(): Promise<void> {
    const { database, clock, log, isConnected } = this.#options;
    try {
      for (const row of await store.waitingCommands(database, clock.nowMs())) if (isConnected(row.deviceId)) this.#send(row);
    } catch (err) {
      log.error({ err }, 'commands that wait could not be read');
    }
  }

  async find(deviceId: string, id: string): Promise<CommandStatus> {
    const row = await store.findCommand(this.#options.database, deviceId, id);
    if (row === undefined) throw new FleetError('command-not-found', 'Expected the id of a command of this device.');
    return toStatus(row);
  }

  async list(deviceId: string, limit: number): Promise<CommandList> {
    const rows = await store.newestCommands(this.#options.database, deviceId, limit);
    return { commands: rows.map(toStatus) };
  }

  #send(row: CommandsTable): void {
    const { database, log, publish, tellOthers } = this.#options;
    const command = {
      id: row.id,
      kind: row.kind,
      arguments: JSON.parse(row.arguments) as Record<string, unknown>,
      deadline: timestamp(row.deadlineMs),
    };
    publish(row.deviceId, command)
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

function wrongField(key: string, expected: string, came: string): FleetError {
  return new FleetError('wrong-fields', `Expected in ${key} ${expected}, got ${came}.`, {
    problems: [{ key: `body/${key}`, expected, came }],
  });
}

function toStatus(row: CommandsTable): CommandStatus {
  return {
    id: row.id,
    kind: row.kind,
    state: states.find((known) => known === row.state) ?? 'failed',
    requestedBy: row.requestedBy,
    requestedAt: timestamp(row.requestedAtMs),
    deadline: timestamp(row.deadlineMs),
    finishedAt: row.finishedAtMs === null ? null : timestamp(row.finishedAtMs),
    detail: row.detail,
  };
}
