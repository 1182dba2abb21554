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

test('acknowledged events are forgotten, later ones stay', async () => {
  const { journal, clock } = await startedJournal();
  for (let index = 0; index < 3; index += 1) journal.add('thing', '');
  await clock.advance(5000);
  const [first = 0, second = 0, third = 0] = numbersOf(journal);
  expect(second).toBe(first + 1);
  journal.acknowledge(second);
  expect(numbersOf(journal)).toEqual([third]);
});
