import { expect, test } from 'vitest';
import { effectWords } from '#fleet-server/web/settings/preview-words.ts';
import type { PreviewedChange } from '#protocol/model/settings.ts';

const plain = (value: number | string | boolean) => ({ kind: 'plain', value }) as const;

const rows: readonly (readonly [string, PreviewedChange, string])[] = [
  [
    'another value',
    {
      key: 'AV_VIDEO_BITRATE',
      from: { value: plain(2500), level: 'default' },
      to: { value: plain(900), level: 'group' },
      effect: 'value',
    },
    '2500 kbit/s (Default) → 900 kbit/s (Group)',
  ],
  [
    'unset: what the device chooses',
    {
      key: 'AV_VIDEO_SOURCE',
      from: { value: plain('test'), level: 'device' },
      to: { value: null, level: 'default' },
      effect: 'value',
    },
    'test (Device) → chosen by the device (Default)',
  ],
  [
    'the same value from another level',
    {
      key: 'AV_VIDEO_WIDTH',
      from: { value: plain(640), level: 'group' },
      to: { value: plain(640), level: 'fleet' },
      effect: 'level',
    },
    'stays 640 px (Group), then from Fleet',
  ],
  [
    'a stronger level says otherwise',
    {
      key: 'AV_RECORD',
      from: { value: plain(true), level: 'device' },
      to: { value: plain(true), level: 'device' },
      effect: 'none',
    },
    'stays Yes (Device)',
  ],
  [
    'a secret',
    {
      key: 'AV_STREAM_KEY',
      from: { value: null, level: 'relay' },
      to: { value: { kind: 'secret', setAt: null }, level: 'fleet' },
      effect: 'value',
    },
    'given by the fleet (Fleet’s relay) → set (Fleet)',
  ],
];

test.each(rows)('%s', (_name, change, expected) => {
  const { before, after } = effectWords(change);
  expect(`${before} ${after}`.trim()).toBe(expected);
});
