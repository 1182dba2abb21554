import { expect, it } from 'vitest';
import { EntryGate } from '#device/media-host/entry-gate.ts';
import { read, spell } from './tags.ts';

/** What comes through, with `!` where the gate opened; `/` closes it and `#` begins a new run. */
function pass(text: string): string {
  const gate = new EntryGate();
  return text
    .split(' ')
    .map((word) => {
      if (word === '/') gate.close();
      if (word === '#') gate.reset();
      const [tag] = read(word);
      if (word === '/' || word === '#' || tag === undefined) return '';
      let opened = '';
      const passed = gate.pass(tag, () => {
        opened = '! ';
      });
      return opened + spell(passed);
    })
    .filter((words) => words !== '')
    .join(' ');
}

it.each([
  ['nothing passes before a keyframe', 'S0 V0 A0 s0 f0', ''],
  ['the headers go with the first keyframe, in the order that receivers know', 'A0 S0 V0 s0 K40 s50 f66', '! S0 V0 A0 K40 s50 f66'],
  ['a capture without sound has no header of it', 'S0 V0 K0', '! S0 V0 K0'],
  ['a new header passes an open gate', 'V0 K0 V5 K5', '! V0 K0 V5 K5'],
  [
    'a gate that was closed opens with the next keyframe and the headers from before',
    'V0 A0 K0 f33 / f66 s66 K99',
    '! V0 A0 K0 f33 ! V0 A0 K99',
  ],
  ['a new run has headers of its own', 'V0 A0 K0 # K0', '! V0 A0 K0 ! K0'],
])('%s', (_, text, expected) => {
  expect(pass(text)).toBe(expected);
});
