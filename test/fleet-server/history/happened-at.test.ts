import { expect, test } from 'vitest';
import { happenedAtMs, type Neighbours, type ToldTimes } from '#fleet-server/history/happened-at.ts';

const h = 3_600_000;
const arrivedAtMs = Date.UTC(2026, 10, 21);
const joinedAtMs = arrivedAtMs - 100 * h;
const beforeMs = arrivedAtMs - 50 * h;

test.each<[string, Omit<ToldTimes, 'arrivedAtMs'>, Partial<Neighbours>, number]>([
  ['at once', { atMs: arrivedAtMs - 300, sentAtMs: arrivedAtMs - 200 }, {}, arrivedAtMs - 300],
  ['late', { atMs: arrivedAtMs - 2 * h, sentAtMs: arrivedAtMs - 200 }, {}, arrivedAtMs - 2 * h],
  ['by a clock that is a day behind', { atMs: arrivedAtMs - 24 * h, sentAtMs: arrivedAtMs - 24 * h + 100 }, {}, arrivedAtMs - 100],
  ['late, by a clock that is a day ahead', { atMs: arrivedAtMs + 22 * h, sentAtMs: arrivedAtMs + 24 * h }, {}, arrivedAtMs - 2 * h],
  ['in 1970, sent after the clock was set', { atMs: 60_000, sentAtMs: arrivedAtMs }, {}, beforeMs],
  ['in 1970, and is the first of all', { atMs: 60_000, sentAtMs: arrivedAtMs }, { beforeMs: null }, joinedAtMs],
  ['before it joined', { atMs: arrivedAtMs - 200 * h, sentAtMs: arrivedAtMs }, { beforeMs: null }, arrivedAtMs - 200 * h],
  ['before the clock was set back', { atMs: arrivedAtMs + 5 * h, sentAtMs: arrivedAtMs }, {}, arrivedAtMs],
  ['at a time that is none', { atMs: undefined, sentAtMs: arrivedAtMs }, {}, arrivedAtMs],
  ['and sent at a time that is none', { atMs: arrivedAtMs - h, sentAtMs: undefined }, {}, arrivedAtMs - h],
  ['before the one before it', { atMs: arrivedAtMs - 2 * h, sentAtMs: arrivedAtMs }, { beforeMs: arrivedAtMs - h }, arrivedAtMs - h],
  ['after the one after it', { atMs: arrivedAtMs - h, sentAtMs: arrivedAtMs }, { afterMs: arrivedAtMs - 2 * h }, arrivedAtMs - 2 * h],
  ['after the server’s clock was set back', { atMs: arrivedAtMs, sentAtMs: arrivedAtMs }, { beforeMs: arrivedAtMs + h }, arrivedAtMs + h],
])('what happened %s', (_name, told, neighbours, expected) => {
  expect(happenedAtMs({ ...told, arrivedAtMs }, { beforeMs, afterMs: null, joinedAtMs, ...neighbours })).toBe(expected);
});
