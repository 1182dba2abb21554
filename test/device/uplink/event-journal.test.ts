import { expect, test } from 'vitest';
import { EventJournal, maxKeptEvents } from '#device/uplink/event-journal.ts';
import { manualClock, settle } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from './memory-state.ts';

async function startedJournal(state = new MemoryState(), clock = manualClock()) {
  const log = quietLog();
  const journal = new EventJournal({ state, clock, log });
  await journal.start();
  return { journal, state, clock, log };
}

function numbersOf(journal: EventJournal): number[] {
  const numbers: number[] = [];
  for (let event = journal.nextAfter(0); event !== undefined; event = journal.nextAfter(event.number)) numbers.push(event.number);
  return numbers;
}

test('an event is offered only when it is on disk', async () => {
  const { journal } = await startedJournal();
  let readyCalls = 0;
  journal.onReady(() => {
    readyCalls += 1;
  });
  journal.add('pipeline-failed', 'no cable');
  expect(journal.nextAfter(0)).toBeUndefined();
  await settle();
  expect(journal.nextAfter(0)).toMatchObject({ kind: 'pipeline-failed', detail: 'no cable' });
  expect(readyCalls).toBe(1);
});

test('numbers go on after a restart, also when everything was acknowledged and the clock went back', async () => {
  const first = await startedJournal();
  first.journal.add('one', '');
  await first.journal.stop();
  const [number = 0] = numbersOf(first.journal);
  first.journal.acknowledge(number);
  await first.journal.stop();
  const second = await startedJournal(first.state, manualClock(0));
  expect(numbersOf(second.journal)).toEqual([]);
  second.journal.add('two', '');
  await settle();
  expect(numbersOf(second.journal)).toEqual([number + 1]);
});

test('a lost file does not give old numbers again', async () => {
  const { journal } = await startedJournal();
  journal.add('one', '');
  await settle();
  expect(numbersOf(journal)[0]).toBeGreaterThan(1_700_000_000);
});

test('a lost file and a clock that is not set: what the server has never had is numbered above what it has', async () => {
  const { journal, state, clock } = await startedJournal(new MemoryState(), manualClock(30_000));
  journal.add('one', '');
  journal.add('two', '');
  await clock.advance(1000);
  expect(numbersOf(journal)).toEqual([31, 32]);
  journal.acknowledge(1_800_000_000);
  journal.add('three', '');
  expect(numbersOf(journal)).toEqual([]);
  await clock.advance(1000);
  expect(numbersOf(journal)).toEqual([1_800_000_001, 1_800_000_002, 1_800_000_003]);
  // The answer to what had been sent as 32.
  journal.acknowledge(1_800_000_000);
  clock.correctWallClock(Date.parse('2026-11-21T12:00:00Z') - clock.nowMs());
  expect(journal.nextAfter(0)).toMatchObject({ kind: 'one', at: '2026-11-21T11:59:58.000Z' });
  journal.acknowledge(1_800_000_002);
  await journal.stop();
  const later = await startedJournal(state);
  later.journal.add('four', '');
  await settle();
  expect(numbersOf(later.journal)).toEqual([1_800_000_003, 1_800_000_004]);
});

test('the oldest events go first when there are too many', async () => {
  const { journal, clock } = await startedJournal();
  for (let index = 0; index < maxKeptEvents + 20; index += 1) journal.add('thing', String(index));
  await clock.advance(10_000);
  expect(numbersOf(journal)).toHaveLength(maxKeptEvents);
  expect(journal.nextAfter(0)?.detail).toBe('20');
});

test('many events are few writes', async () => {
  const { journal, state, clock } = await startedJournal();
  for (let index = 0; index < 50; index += 1) {
    journal.add('thing', '');
    await clock.advance(100);
  }
  expect(state.writes).toBeLessThanOrEqual(11);
  await journal.stop();
  expect(numbersOf(journal)).toHaveLength(50);
});

test('a disk that refuses does not silence the device', async () => {
  const { journal, state, log } = await startedJournal();
  state.failure = Object.assign(new Error('no'), { code: 'ENOSPC' });
  journal.add('thing', '');
  await settle();
  expect(numbersOf(journal)).toHaveLength(1);
  expect(log.lines).toEqual(['cannot keep events on disk (ENOSPC): they are sent all the same']);
});

test('a disk that refuses for long is told of once, and once more when it refuses again', async () => {
  const { journal, state, clock, log } = await startedJournal();
  const readOnly = Object.assign(new Error('no'), { code: 'EROFS' });
  state.failure = readOnly;
  journal.add('thing', '');
  await clock.advance(60_000);
  expect(log.lines).toEqual(['cannot keep events on disk (EROFS): they are sent all the same']);
  state.failure = null;
  await clock.advance(10_000);
  state.failure = readOnly;
  journal.add('thing', '');
  await clock.advance(60_000);
  expect(log.lines).toHaveLength(2);
});

test('acknowledged events are forgotten, later ones stay', async () => {
  const { journal, clock } = await startedJournal();
  for (let index = 0; index < 3; index += 1) journal.add('thing', '');
  await clock.advance(5000);
  const [first = 0, second = 0, third = 0] = numbersOf(journal);
  expect(second).toBe(first + 1);
  journal.acknowledge(second);
  expect(numbersOf(journal)).toEqual([third]);
});

test('what happened before the clock was set gets its time once it is', async () => {
  const clock = manualClock(Date.parse('1970-01-01T00:00:30Z'));
  const state = new MemoryState();
  const journal = new EventJournal({ state, clock, log: quietLog() });
  await journal.start();
  journal.add('agent-started', 'early');
  await clock.advance(60_000);
  expect(journal.nextAfter(0)?.at).toBe('1970-01-01T00:00:30.000Z');
  clock.correctWallClock(Date.parse('2026-11-21T12:01:00Z') - clock.nowMs());
  journal.add('clock', 'late');
  await clock.advance(1000);
  const early = journal.nextAfter(0);
  expect(early?.at).toBe('2026-11-21T12:00:00.000Z');
  expect(journal.nextAfter(early?.number ?? 0)?.at).toBe('2026-11-21T12:01:00.000Z');
  await clock.advance(1000);
  expect(state.files.get('events.json')).not.toContain('1970');
});

test('when it has stopped, everything is on disk and nothing is being written', async () => {
  const clock = manualClock();
  const state = new MemoryState();
  let underWay = 0;
  const slow = {
    read: state.read.bind(state),
    write: async (...written: Parameters<typeof state.write>) => {
      underWay += 1;
      await settle();
      await state.write(...written);
      underWay -= 1;
    },
  };
  const journal = new EventJournal({ state: slow as typeof state, clock, log: quietLog() });
  await journal.start();
  journal.add('thing', 'first');
  // The first write has lasted so long that the next one is due as soon as it ends.
  const advanced = clock.advance(600);
  journal.add('thing', 'second');
  await journal.stop();
  expect(underWay).toBe(0);
  expect(state.files.get('events.json')).toContain('second');
  await advanced;
  expect(state.writes).toBe(2);
});

test('what the disk refused is written again by itself when there is room', async () => {
  const clock = manualClock();
  const state = new MemoryState();
  const journal = new EventJournal({ state, clock, log: quietLog() });
  await journal.start();
  state.failure = new Error('no space left on device');
  journal.add('thing', 'refused');
  await clock.advance(1000);
  expect(journal.nextAfter(0)?.detail).toBe('refused');
  state.failure = null;
  await clock.advance(6000);
  expect(state.files.get('events.json')).toContain('refused');
});
