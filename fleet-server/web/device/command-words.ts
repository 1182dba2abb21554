/** The states of a command in words. Pure. */
import { commandDefinitions, isCommandKind } from '#protocol/commands.ts';
import type { CommandStatus } from '#protocol/model/command.ts';
import { inWords } from '../status/conditions.ts';
import type { Tone } from '../status/stream-words.ts';

const endings: { readonly [State in CommandStatus['state']]: string } = {
  waiting: 'Waits for the device to connect.',
  sent: 'Is with the device.',
  done: 'Done.',
  failed: 'Failed.',
  refused: 'Refused by the device.',
  expired: 'Not done in time.',
};

export function commandTitle(kind: string): string {
  return isCommandKind(kind) ? commandDefinitions[kind].title : inWords(kind);
}

export function commandEnding({ state, detail }: Pick<CommandStatus, 'state' | 'detail'>): string {
  return detail === '' ? endings[state] : `${endings[state]} ${detail.charAt(0).toUpperCase()}${detail.slice(1)}`;
}

export function commandTone({ state }: Pick<CommandStatus, 'state'>): Tone {
  if (state === 'done') return 'live';
  return state === 'waiting' || state === 'sent' ? 'starting' : 'bad';
}
