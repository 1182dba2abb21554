import { expect, test } from 'vitest';
import { type AcknowledgedMessage, maxWaitingResults, Outbox } from '#device/uplink/outbox.ts';
import type { Applied, CommandResult, Event } from '#protocol/messages.ts';
import { bodies } from '../../fleet-server/bodies.ts';

function eventList(...numbers: number[]) {
  const events: Event[] = numbers.map((number) => ({ number, at: '2026-01-01T00:00:00Z', kind: 'thing', detail: '' }));
  return { nextAfter: (after: number) => events.find(({ number }) => number > after), drop: (upTo: number) => events.splice(0, upTo) };
}

function applied(revision: number): Applied {
  return { revision, outcome: 'applied', refusals: [], inForceRevision: revision };
}

function result(id: number): CommandResult {
  return { id: `command-${id}`, outcome: 'done', detail: '' };
}

function drain(outbox: Outbox): AcknowledgedMessage[] {
  const sent: AcknowledgedMessage[] = [];
  for (let message = outbox.next(); message !== undefined; message = outbox.next()) {
    sent.push(message);
    outbox.sent(message);
  }
  return sent;
}

test('of a state only the latest is kept', () => {
  const outbox = new Outbox(eventList());
  for (let revision = 1; revision <= 1000; revision += 1) outbox.setApplied(applied(revision));
  expect(drain(outbox)).toEqual([{ name: 'applied', body: applied(1000) }]);
});

test('a report of before newer settings were in force is not said after them; a newer one is', () => {
  const outbox = new Outbox(eventList());
  outbox.setReport(bodies.report({ appliedRevision: 4 }));
  outbox.setApplied(applied(5));
  expect(drain(outbox).map(({ name }) => name)).toEqual(['applied']);
  outbox.setApplied(applied(6));
  outbox.setReport(bodies.report({ appliedRevision: 6 }));
  expect(drain(outbox).map(({ name }) => name)).toEqual(['applied', 'report']);
});

test('verdicts go before results, results before events', () => {
  const outbox = new Outbox(eventList(4, 5));
  outbox.addResult(result(1));
  outbox.setApplied(applied(1));
  expect(drain(outbox).map(({ name }) => name)).toEqual(['applied', 'command-result', 'event', 'event']);
});

test('what was not acknowledged stays, and what came in the meantime is not lost with it', () => {
  const outbox = new Outbox(eventList());
  outbox.setApplied(applied(1));
  const first = outbox.next();
  expect(outbox.next()).toEqual(first);
  outbox.setApplied(applied(2));
  if (first !== undefined) outbox.sent(first);
  expect(outbox.next()?.body).toEqual(applied(2));
});

test('results are bounded, the newest stay, and the same command waits once', () => {
  const outbox = new Outbox(eventList());
  for (let id = 1; id <= maxWaitingResults + 50; id += 1) outbox.addResult(result(id));
  outbox.addResult(result(maxWaitingResults));
  const ids = drain(outbox).map(({ body }) => ('id' in body ? body.id : ''));
  expect(ids).toHaveLength(maxWaitingResults);
  expect(ids[0]).toBe('command-51');
  expect(ids.at(-1)).toBe(`command-${maxWaitingResults}`);
});

test('events are sent again over a new connection until the server has stored them', () => {
  const events = eventList(1, 2, 3);
  const outbox = new Outbox(events);
  expect(drain(outbox)).toHaveLength(3);
  expect(outbox.hasUnacknowledgedEvents()).toBe(true);
  outbox.rewindEvents();
  expect(drain(outbox).map(({ body }) => ('number' in body ? body.number : 0))).toEqual([1, 2, 3]);
  events.drop(3);
  outbox.rewindEvents();
  expect(outbox.next()).toBeUndefined();
  expect(outbox.hasUnacknowledgedEvents()).toBe(false);
});

test('health of the time without a server goes last, in batches, and is dropped when it has arrived', () => {
  const sample = { ageMs: 0, framesPerSecond: 30, videoBitrateKbps: 1, temperatureC: null, loadAverage1m: 0, memoryAvailableBytes: 1 };
  let waiting = 5;
  const health = {
    next: () => (waiting === 0 ? null : { samples: Array.from({ length: Math.min(2, waiting) }, () => sample) }),
    drop: (count: number) => {
      waiting -= count;
    },
  };
  const outbox = new Outbox(eventList(1), health);
  outbox.setApplied(applied(1));
  expect(drain(outbox).map(({ name }) => name)).toEqual(['applied', 'event', 'health-backlog', 'health-backlog', 'health-backlog']);
});
