/**
 * The last 200 commands and what became of them, on disk: a command is done once, however often it is delivered and however
 * often the agent is restarted.
 *
 * INVARIANT: an id is written to disk before its command begins. What was begun and has no result when the agent starts is
 * not done again: it is answered as failed.
 */
import { Type } from 'typebox';
import { type StateDirectory, stateFile } from '#device/state/state-directory.ts';
import { CommandId } from '#protocol/identifiers.ts';
import { CommandResult } from '#protocol/messages.ts';

export const maxKeptCommands = 200;

const CommandRecord = Type.Object({ id: CommandId, result: Type.Union([CommandResult, Type.Null()]) });
const CommandRecords = Type.Object({ commands: Type.Array(CommandRecord, { maxItems: maxKeptCommands }) });
const commandFile = stateFile('commands.json', CommandRecords);

export type CommandSighting =
  | { readonly kind: 'new' }
  | { readonly kind: 'running' }
  | { readonly kind: 'done'; readonly result: CommandResult };

export class CommandJournal {
  readonly #state: Pick<StateDirectory, 'read' | 'write'>;
  /** Oldest first: a Map keeps the order in which ids came. */
  #results = new Map<string, CommandResult | null>();

  constructor(state: Pick<StateDirectory, 'read' | 'write'>) {
    this.#state = state;
  }

  /** The results of commands that an earlier agent began and did not finish. */
  async start(): Promise<readonly CommandResult[]> {
    const record = await this.#state.read(commandFile);
    const interrupted: CommandResult[] = [];
    for (const { id, result } of record?.commands ?? []) {
      const known: CommandResult = result ?? { id, outcome: 'failed', detail: 'the agent was restarted while it did this' };
      if (result === null) interrupted.push(known);
      this.#results.set(id, known);
    }
    return interrupted;
  }

  find(id: string): CommandSighting {
    const result = this.#results.get(id);
    if (result === undefined) return { kind: 'new' };
    return result === null ? { kind: 'running' } : { kind: 'done', result };
  }

  /** Rejects when the disk refuses; the id is remembered until the agent ends all the same. */
  begin(id: string): Promise<void> {
    return this.#remember(id, null);
  }

  /** Rejects when the disk refuses; the result is remembered until the agent ends all the same. */
  finish(result: CommandResult): Promise<void> {
    return this.#remember(result.id, result);
  }

  #remember(id: string, result: CommandResult | null): Promise<void> {
    this.#results.set(id, result);
    for (const oldest of this.#results.keys()) {
      if (this.#results.size <= maxKeptCommands) break;
      this.#results.delete(oldest);
    }
    return this.#save();
  }

  #save(): Promise<void> {
    const commands = [...this.#results].map(([id, result]) => ({ id, result }));
    return this.#state.write(commandFile, { commands });
  }
}
