import { expect, test } from 'vitest';
import { adaptationWords } from '#fleet-server/web/device/adaptation-words.ts';
import type { BitrateAdaptation } from '#protocol/media.ts';

const free: BitrateAdaptation = { bitrateKbps: 3000, targetKbps: 3000, floorKbps: 400, limitedBy: null, reason: '' };
const slow: BitrateAdaptation = { ...free, bitrateKbps: 1200, limitedBy: 'rtmp', reason: 'rtmp takes no more' };
const relay = { id: 'rtmp', kind: 'rtmp', target: 'rtmp://relay.example/live' } as const;
const other = { id: 'rtmp-2', kind: 'rtmp', target: 'rtmp://other.example/app' } as const;
const sound = { id: 'icecast', kind: 'icecast', target: 'icecast://radio.example/mount' } as const;

const rows: readonly [string, BitrateAdaptation, readonly (typeof relay | typeof other | typeof sound)[], string | null][] = [
  ['nothing is in the way', free, [relay], null],
  ['one target', slow, [relay], 'Bitrate 1.20 of 3.00 Mbit/s: the uplink is slow'],
  ['one target, and Icecast, whose sound is not adapted', slow, [relay, sound], 'Bitrate 1.20 of 3.00 Mbit/s: the uplink is slow'],
  [
    'at the floor',
    { ...slow, bitrateKbps: 400, reason: 'rtmp takes no more, and takes not even the least that the encoder may give' },
    [relay],
    'Bitrate 0.40 of 3.00 Mbit/s: the uplink is slow, and this is the least that is allowed',
  ],
  ['the slower of two', slow, [relay, other], 'Bitrate 1.20 of 3.00 Mbit/s: rtmp://relay.example/live takes no more'],
  [
    'one of two is left behind, and the other has it all',
    { ...free, reason: 'rtmp-2 is far too slow and is left behind' },
    [relay, other],
    'Bitrate 3.00 of 3.00 Mbit/s: rtmp://other.example/app is far too slow and is left behind',
  ],
  [
    'nobody is connected',
    { ...slow, limitedBy: null, reason: '' },
    [relay],
    'Bitrate 1.20 of 3.00 Mbit/s: it rises again as soon as a target takes the stream',
  ],
  ['a small bitrate', { ...slow, bitrateKbps: 410.4, targetKbps: 800 }, [relay], 'Bitrate 410 of 800 kbit/s: the uplink is slow'],
];

test.each(rows)('%s', (_name, adaptation, outputs, words) => {
  expect(adaptationWords(adaptation, outputs)).toBe(words);
});
