import { describe, expect, test } from 'vitest';
import { afterBoardSeen, type BoardsMemory, describeBoards, movedAfterMs, twiceForMs } from '#fleet-server/enrolment/boards.ts';
import { BootIds } from '#fleet-server/enrolment/boot-ids.ts';

const board = (id: string) => ({ id, hostName: `pi-${id}` });
const nothing: BoardsMemory = { onRecord: null, boards: [], twiceSeenMs: null };
const hourMs = 3_600_000;

type Heard = readonly (readonly [board: string, atMs: number])[];
const hear = (...heard: Heard) => hearAfter(nothing, ...heard);

/** One board after the other, with the time of each; answers what was said of each. */
function hearAfter(before: BoardsMemory, ...heard: Heard) {
  let memory = before;
  const verdicts = heard.map(([id, atMs]) => {
    const step = afterBoardSeen(memory, board(id), atMs);
    memory = step.memory;
    return step.verdict;
  });
  return { memory, verdicts };
}

describe('boards under the name of one device', () => {
  test('the first is on record, and stays', () => {
    const { memory, verdicts } = hear(['a', 0], ['a', 1000], ['a', 40 * hourMs]);
    expect(verdicts).toEqual(['first', 'known', 'known']);
    expect(memory).toMatchObject({ onRecord: 'a', twiceSeenMs: null });
  });

  test('another one alone is no fault: the card may have been moved', () => {
    expect(hear(['a', 0], ['b', 1000], ['b', 60_000]).verdicts).toEqual(['first', 'another', 'another']);
  });

  test('the one on record, heard again after the other, is the proof; then both are', () => {
    const { memory, verdicts } = hear(['a', 0], ['b', 1000], ['a', 2000], ['b', 3000], ['a', 4000]);
    expect(verdicts).toEqual(['first', 'another', 'twice', 'twice', 'twice']);
    expect(memory).toMatchObject({ onRecord: 'a', twiceSeenMs: 4000 });
    expect(describeBoards(memory, 5000)).toBe('board a (pi-a), on record; board b (pi-b), the copy, last seen at 1970-01-01T00:00:03.000Z');
  });

  test('is over when the copy has been silent for a while', () => {
    const { verdicts } = hear(['a', 0], ['b', 1000], ['a', 2000], ['a', 2000 + twiceForMs]);
    expect(verdicts.at(-1)).toBe('known');
  });

  test('a card that was moved belongs to its new board after a day without the former one', () => {
    const steps = [0, 12, 23, 24].map((hours) => ['b', 1000 + hours * hourMs] as const);
    const { memory, verdicts } = hear(['a', 0], ...steps);
    expect(verdicts).toEqual(['first', 'another', 'another', 'another', 'moved']);
    expect(memory.onRecord).toBe('b');
  });

  test('and not when the former one was heard meanwhile', () => {
    const { verdicts } = hear(['a', 0], ['b', 1000], ['a', hourMs], ['b', 12 * hourMs], ['b', 25 * hourMs]);
    expect(verdicts).toEqual(['first', 'another', 'known', 'another', 'another']);
  });

  test('a board that comes back after a long time begins its day anew', () => {
    const late = 10 * movedAfterMs;
    expect(hear(['a', 0], ['b', 1000], ['b', late], ['b', late + hourMs]).verdicts.slice(-2)).toEqual(['another', 'another']);
  });

  test('what was heard while the clock was ahead is no sign that two are at it, then or when that time comes', () => {
    const day = 24 * hourMs;
    const { memory, verdicts } = hear(['a', day], ['b', day + 60_000], ['a', hourMs], ['a', 20 * hourMs], ['a', day + 61_000]);
    expect(verdicts).toEqual(['first', 'another', 'known', 'known', 'known']);
    expect(memory.twiceSeenMs).toBe(null);
  });

  test('nor is that two were at it then; a board that is heard alone afterwards has taken the place of the other after a day', () => {
    const before = hear(['a', 100 * hourMs], ['b', 100 * hourMs + 1000], ['a', 100 * hourMs + 2000]);
    expect(before.verdicts.at(-1)).toBe('twice');
    const after = [1, 12, 25].map((hours) => ['b', hours * hourMs] as const);
    expect(hearAfter(before.memory, ...after).verdicts).toEqual(['another', 'another', 'moved']);
  });

  test('two are still seen by a clock that was set back by a little', () => {
    expect(hear(['a', hourMs], ['b', hourMs + 1000], ['a', hourMs - 60_000]).verdicts).toEqual(['first', 'another', 'twice']);
  });

  test('no more than eight are kept, and the one on record among them', () => {
    const { memory } = hear(['a', 0], ...Array.from({ length: 30 }, (_, index) => [`b${index}`, 1000 + index] as const));
    expect(memory.boards).toHaveLength(8);
    expect(memory.boards.map(({ boardId }) => boardId)).toContain('a');
  });
});

describe('boots', () => {
  test('one that comes back after another one lives beside it', () => {
    const boots = new BootIds();
    const heard = ['x', 'x', 'y', 'y', 'x', 'y', 'z'].map((bootId, second) => boots.hasReturned('d', bootId, second * 1000));
    expect(heard).toEqual([false, false, false, false, true, true, false]);
    expect(boots.hasReturned('e', 'x', 8000)).toBe(false);
  });

  test('is not held against a machine after a while', () => {
    const boots = new BootIds();
    boots.hasReturned('d', 'x', 0);
    boots.hasReturned('d', 'y', 1000);
    expect(boots.hasReturned('d', 'x', 700_000)).toBe(false);
  });
});
