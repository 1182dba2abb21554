import { expect, test } from 'vitest';
import { commandChoices, offeredCommands } from '#fleet-server/web/device/command-choices.ts';

test('offered is what the device knows and needs no arguments; what a newer device knows is left out', () => {
  expect(offeredCommands(['restart-pipeline', 'protect-recording', 'dance', 'start-recording'])).toEqual([
    'restart-pipeline',
    'start-recording',
  ]);
});

test('whatever stops the picture or a recording is asked twice', () => {
  const asked = Object.entries(commandChoices).flatMap(([kind, { interrupts }]) => (interrupts ? [kind] : []));
  expect(asked.sort()).toEqual(['reboot', 'restart-agent', 'restart-media-host', 'restart-pipeline', 'stop-recording', 'stop-streaming']);
});
