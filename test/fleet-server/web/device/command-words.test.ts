import { expect, test } from 'vitest';
import { commandTone, commandWords } from '#fleet-server/web/device/command-words.ts';

test.for([
  [{ kind: 'restart-pipeline', state: 'sent', detail: '' }, 'Restart pipeline: is with the device.', 'starting'],
  [{ kind: 'restart-pipeline', state: 'done', detail: 'It runs.' }, 'Restart pipeline: done. It runs.', 'live'],
  [{ kind: 'new-thing', state: 'refused', detail: 'Not known.' }, 'New thing: refused by the device. Not known.', 'bad'],
] as const)('%o', ([command, words, tone]) => {
  expect(commandWords(command)).toBe(words);
  expect(commandTone(command)).toBe(tone);
});
