/**
 * The last 200 commands and what became of them, on disk: a command is done once, however often it is delivered and however
 * often the agent is restarted.
 *
 * INVARIANT: an id is written to disk before its command begins. What was begun and has no result when the agent starts is
 * not done again: it is answered as failed, unless it was to end the agent, which it has then done.
 */
import { type Static, Type } from 'typebox';
import { type StateDirectory, stateFile } from '#device/state/state-directory.ts';
import { CommandId } from '#protocol/identifiers.ts';
import { CommandResult } from '#protocol/messages.ts';

export const maxKeptCommands = 200;
/** Of the newest results what was found is kept as well. */
const keptWithFindings = 4;

/** What the command itself ends, and the boot in which it began. */
const Ending = Type.Object({ ends: Type.Enum(['agent', 'board']), bootId: Type.String({ maxLength: 64 }) });
type Ending = Static<typeof Ending>;

const CommandRecord = Type.Object({
  id: CommandId,
  result: Type.Union([CommandResult, Type.Null()]),
  ending: Type.Optional(Ending),
});
type CommandRecord = Static<typeof CommandRecord>;
const CommandRecords = Type.Object({ commands: Type.Array(CommandRecord, { maxItems: maxKeptCommands }) });
const commandFile = stateFile('commands.json', CommandRecords, { reservedBytes: 256 * 1024 });

export type CommandSighting =
  | { readonly kind: 'new' }
  | { readonly kind: 'running' }
  | { readonly kind: 'done'; readonly result: CommandResult };

export class CommandJournal {
  readonly #state: Pick<StateDirectory, 'read' | 'write'>;
  readonly #bootId: string;
  /** Oldest first: a Map keeps the order in which ids came. */
  #records = new Map<string, CommandRecord>();

  constructor(state: Pick<StateDirectory, 'read' | 'write'>, bootId: string) {
    this.#state = state;
    this.#bootId = bootId;
  }

  /** The results of commands that an earlier agent began and did not finish. */
  async start(): Promise<readonly CommandResult[]> {
    const record = await this.#state.read(commandFile);
    const interrupted: CommandResult[] = [];
    for (const kept of record?.commands ?? []) {
      const result = kept.result ?? this.#whatBecameOf(kept);
      if (kept.result === null) interrupted.push(result);
      this.#records.set(kept.id, { id: kept.id, result });
    }
    return interrupted;
  }

  find(id: string): CommandSighting {
    const record = this.#records.get(id);
    if (record === undefined) return { kind: 'new' };
    return record.result === null ? { kind: 'running' } : { kind: 'done', result: record.result };
  }

  /** Rejects when the disk refuses; the id is remembered until the agent ends all the same. */
  begin(id: string, ends: Ending['ends'] | null = null): Promise<void> {
    return this.#remember({ id, result: null, ...(ends === null ? {} : { ending: { ends, bootId: this.#bootId } }) });
  }

  /** Rejects when the disk refuses; the result is remembered until the agent ends all the same. */
  finish(result: CommandResult): Promise<void> {
    return this.#remember({ id: result.id, result });
  }

  #whatBecameOf({ id, ending }: CommandRecord): CommandResult {
    if (ending === undefined) return { id, outcome: 'failed', detail: 'the agent was restarted while it did this' };
    const isNewBoot = ending.bootId !== this.#bootId;
    if (ending.ends === 'agent') return { id, outcome: 'done', detail: 'the agent is back' };
    if (isNewBoot) return { id, outcome: 'done', detail: 'the board is back' };
    return { id, outcome: 'failed', detail: 'the agent is back, and the board was not restarted in between' };
  }

  #remember(record: CommandRecord): Promise<void> {
    this.#records.set(record.id, record);
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= maxKeptCommands) break;
      this.#records.delete(oldest);
    }
    return this.keep();
  }

  /** Once more what could not be written. Rejects when the disk refuses. */
  keep(): Promise<void> {
    const withFindings = [...this.#records.values()].filter(hasFindings).slice(-keptWithFindings);
    const commands = [...this.#records.values()].map((record) => (withFindings.includes(record) ? record : withoutFindings(record)));
    return this.#state.write(commandFile, { commands });
  }
}

function hasFindings({ result }: CommandRecord): boolean {
  return result?.lines !== undefined || result?.recordings !== undefined;
}

function withoutFindings(record: CommandRecord): CommandRecord {
  if (record.result === null || !hasFindings(record)) return record;
  const { lines: _lines, recordings: _recordings, ...result } = record.result;
  return { ...record, result };
}
