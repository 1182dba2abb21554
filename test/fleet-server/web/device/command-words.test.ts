import { expect, test } from 'vitest';
import { commandEnding, commandTitle, commandTone } from '#fleet-server/web/device/command-words.ts';

test.for([
  [{ kind: 'restart-pipeline', state: 'sent', detail: '' }, 'Restart pipeline', 'Is with the device.', 'starting'],
  [{ kind: 'restart-pipeline', state: 'done', detail: 'it runs.' }, 'Restart pipeline', 'Done. It runs.', 'live'],
  [{ kind: 'new-thing', state: 'refused', detail: 'Not known.' }, 'New thing', 'Refused by the device. Not known.', 'bad'],
] as const)('%o', ([command, title, ending, tone]) => {
  expect(commandTitle(command.kind)).toBe(title);
  expect(commandEnding(command)).toBe(ending);
  expect(commandTone(command)).toBe(tone);
});
