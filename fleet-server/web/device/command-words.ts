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
  withdrawn: 'Not done.',
};

export function commandTitle(kind: string): string {
  return isCommandKind(kind) ? commandDefinitions[kind].title : inWords(kind);
}

/** For how long a device that is away may take to come back. */
export const deadlineChoices = [
  { value: '3600', label: '1 hour' },
  { value: '28800', label: '8 hours' },
  { value: '86400', label: '1 day' },
  { value: '604800', label: '7 days' },
] as const;

/** What happens to a command that waits. `exact` writes a time. */
export function waitingWords({ deadline }: Pick<CommandStatus, 'deadline'>, exact: (at: string) => string): string {
  return `Is done when the device connects before ${exact(deadline)}, and not after that.`;
}

export function commandEnding({ state, detail }: Pick<CommandStatus, 'state' | 'detail'>): string {
  return detail === '' ? endings[state] : `${endings[state]} ${capitalised(detail)}`;
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** What became of it, or how far the device is with it. `exact` writes a time. */
export function sentWords(command: Pick<CommandStatus, 'state' | 'detail' | 'progress'>, exact: (at: string) => string): string {
  const { state, progress } = command;
  if (state !== 'sent' || progress === undefined) return commandEnding(command);
  return `Under way since ${exact(progress.begunAt)}.${progress.detail === '' ? '' : ` ${capitalised(progress.detail)}.`}`;
}

export function commandTone({ state }: Pick<CommandStatus, 'state'>): Tone {
  if (state === 'done') return 'live';
  if (state === 'withdrawn') return 'quiet';
  return state === 'waiting' || state === 'sent' ? 'starting' : 'bad';
}
