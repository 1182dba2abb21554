import { expect, it } from 'vitest';
import { cardText } from '#device/media-host/card-text.ts';

const since = new Date(2026, 10, 21, 9, 5, 7);

it.each([
  ['at once', 'Room 1', 0, 'Room 1\nNo signal since 09:05:07\n00:00'],
  ['after a while', 'Room 1', 125_900, 'Room 1\nNo signal since 09:05:07\n02:05'],
  ['after hours', 'Room 1', 3_723_000, 'Room 1\nNo signal since 09:05:07\n1:02:03'],
  ['with signs that mean something to Pango', '<b>A & B', 0, '&lt;b&gt;A &amp; B\nNo signal since 09:05:07\n00:00'],
  ['with a long title', 'x'.repeat(80), 0, `${'x'.repeat(59)}…\nNo signal since 09:05:07\n00:00`],
])('the card says where and since when: %s', (_, title, lastedMs, expected) => {
  expect(cardText(title, since, lastedMs)).toBe(expected);
});
