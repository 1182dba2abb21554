/** What a command does before it is asked for, and which of them ask twice. Pure. */
import { type CommandKind, isCommandKind } from '#protocol/commands.ts';

export type CommandChoice = { readonly words: string; readonly interrupts: boolean };

/** Those that need no arguments; the others are asked for where what they are about is shown. */
export const commandChoices: { readonly [Kind in CommandKind]?: CommandChoice } = {
  'restart-pipeline': { words: 'The picture stops for about two seconds.', interrupts: true },
  'restart-media-host': {
    words: 'The process that makes the picture ends and starts anew; the picture stops for a few seconds.',
    interrupts: true,
  },
  'restart-agent': { words: 'The device’s program ends and is started anew; the picture stops for some seconds.', interrupts: true },
  reboot: {
    words: 'The board restarts: no picture for about a minute. Only where the device’s own environment allows it.',
    interrupts: true,
  },
  identify: { words: 'The light on the board blinks for ten seconds, so that somebody in the room finds it.', interrupts: false },
  'run-doctor': { words: 'The device looks through everything that a stream needs. The stream goes on.', interrupts: false },
  'rotate-credential': {
    words: 'The device gets a new credential and comes back with it; the former one then opens nothing. The stream goes on.',
    interrupts: false,
  },
  'start-streaming': {
    words: 'The device streams, whatever its hours say: until they have begun and ended, or the settings of its stream change.',
    interrupts: false,
  },
  'stop-streaming': {
    words: 'The picture goes off the air until somebody starts it again, or changes where or when the device streams. A recording goes on.',
    interrupts: true,
  },
  snapshot: { words: 'The device sends the picture that is now on air, in full size. The stream goes on.', interrupts: false },
  'start-recording': {
    words: 'The device records until its settings change next, whatever AV_RECORD says. The stream goes on.',
    interrupts: false,
  },
  // What is not recorded is lost.
  'stop-recording': {
    words: 'The device records no more until its settings change next, whatever AV_RECORD says. The stream goes on.',
    interrupts: true,
  },
};

/** What this device can be asked for here: what it says that it knows, as far as this page knows it too. */
export function offeredCommands(capabilities: readonly string[]): readonly CommandKind[] {
  return capabilities.filter(isCommandKind).filter((kind) => commandChoices[kind] !== undefined);
}

/** What several devices can be asked for at once; a device that does not know it says so. */
export const batchChoices: readonly CommandKind[] = offeredCommands(Object.keys(commandChoices));
