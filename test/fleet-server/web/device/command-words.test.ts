import { expect, test } from 'vitest';
import { commandEnding, commandTitle, commandTone, sentWords, waitingWords } from '#fleet-server/web/device/command-words.ts';

test.for([
  [{ kind: 'restart-pipeline', state: 'sent', detail: '' }, 'Restart pipeline', 'Is with the device.', 'starting'],
  [{ kind: 'restart-pipeline', state: 'done', detail: 'it runs.' }, 'Restart pipeline', 'Done. It runs.', 'live'],
  [{ kind: 'new-thing', state: 'refused', detail: 'Not known.' }, 'New thing', 'Refused by the device. Not known.', 'bad'],
  [{ kind: 'reboot', state: 'withdrawn', detail: 'Taken back by ada.' }, 'Restart board', 'Not done. Taken back by ada.', 'quiet'],
] as const)('%o', ([command, title, ending, tone]) => {
  expect(commandTitle(command.kind)).toBe(title);
  expect(commandEnding(command)).toBe(ending);
  expect(commandTone(command)).toBe(tone);
});

test('what waits says until when it does', () => {
  expect(waitingWords({ deadline: '2026-11-29T01:00:00.000Z' }, (at) => at.slice(0, 10))).toBe(
    'Is done when the device connects before 2026-11-29, and not after that.',
  );
});

test.for([
  ['', 'Under way since 01:00.'],
  ['7 checks made, the last: clock', 'Under way since 01:00. 7 checks made, the last: clock.'],
] as const)('what the device has begun says since when, and how far it is: %s', ([detail, words]) => {
  const progress = { begunAt: '2026-11-29T01:00:00.000Z', detail };
  const exact = (at: string) => at.slice(11, 16);
  expect(sentWords({ state: 'sent', detail: '', progress }, exact)).toBe(words);
  expect(sentWords({ state: 'done', detail: 'it runs', progress }, exact)).toBe('Done. It runs');
  expect(sentWords({ state: 'sent', detail: '' }, exact)).toBe('Is with the device.');
});
