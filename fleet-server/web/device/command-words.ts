/** The states of a command in words. Pure. */
import { commandDefinitions, isCommandKind } from '#protocol/commands.ts';
import type { CommandStatus } from '#protocol/model/command.ts';
import { inWords } from '../status/conditions.ts';
import type { Tone } from '../status/stream-words.ts';

const endings: { readonly [State in CommandStatus['state']]: string } = {
  waiting: 'waits for the device to connect',
  sent: 'is with the device',
  done: 'done',
  failed: 'failed',
  refused: 'refused by the device',
  expired: 'not done in time',
};

export function commandWords(command: Pick<CommandStatus, 'kind' | 'state' | 'detail'>): string {
  const title = isCommandKind(command.kind) ? commandDefinitions[command.kind].title : inWords(command.kind);
  const sentence = `${title}: ${endings[command.state]}.`;
  return command.detail === '' ? sentence : `${sentence} ${command.detail}`;
}

export function commandTone({ state }: Pick<CommandStatus, 'state'>): Tone {
  if (state === 'done') return 'live';
  return state === 'waiting' || state === 'sent' ? 'starting' : 'bad';
}
