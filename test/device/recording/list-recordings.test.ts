import { expect, test } from 'vitest';
import { pageOf } from '#device/recording/list-recordings.ts';
import type { Recording } from '#device/recording/recording-index.ts';
import { compile } from '#protocol/compile.ts';
import { RecordingsPage } from '#protocol/recordings.ts';

const check = compile('a page of recordings in a test', RecordingsPage);

function made(number: number, changes: Partial<Recording> = {}): Recording {
  const startedAt = new Date(Date.UTC(2026, 10, 21, 10, number)).toISOString();
  return {
    number,
    name: `${startedAt.slice(0, 19).replaceAll(':', '-')}Z-${number % 10}`,
    format: 'mp4',
    state: 'ready',
    startedAt,
    bytes: 123_456_789_012,
    durationMs: 600_033,
    frames: 18_000,
    sounds: 9375,
    sha256: 'a'.repeat(64),
    isProtected: false,
    attempts: 0,
    problem: null,
    ...changes,
  };
}

const many = Array.from({ length: 120 }, (_, index) => made(index + 1, { problem: 'x'.repeat(500) }));

test('the newest first, page by page, each once', () => {
  const numbers: number[] = [];
  let beforeNumber: number | undefined;
  for (let page = 0; page < 10; page += 1) {
    const found = pageOf(many, beforeNumber === undefined ? {} : { beforeNumber });
    expect(found.total).toBe(120);
    numbers.push(...found.recordings.map(({ number }) => number));
    if (found.nextBeforeNumber === null) break;
    beforeNumber = found.nextBeforeNumber;
  }
  expect(numbers).toEqual(many.map(({ number }) => number).toReversed());
});

test('a recording that was deleted between two pages leaves no gap and doubles none', () => {
  const { nextBeforeNumber } = pageOf(many, { limit: 20 });
  expect(nextBeforeNumber).toBe(101);
  const fewer = many.filter(({ number }) => number !== 101 && number !== 100);
  expect(pageOf(fewer, { beforeNumber: 101, limit: 2 }).recordings.map(({ number }) => number)).toEqual([99, 98]);
});

test('the largest page is what the schema says and fits into a message', () => {
  const page = pageOf(many, { limit: 50 });
  expect(check.Check(page)).toBe(true);
  expect(JSON.stringify(page).length).toBeLessThan(30_000);
  expect(pageOf(many, { limit: 5000 }).recordings).toHaveLength(50);
});

test('nothing recorded is an empty page', () => {
  expect(pageOf([], {})).toEqual({ recordings: [], total: 0, nextBeforeNumber: null });
});

test('what was cut off of a half-written end is told', () => {
  const [mended, whole] = pageOf([made(1), made(2, { mendedBytes: 1234 })], {}).recordings;
  expect([mended?.mendedBytes, whole?.mendedBytes]).toEqual([1234, 0]);
});
