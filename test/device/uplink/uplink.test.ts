import { expect, onTestFinished, test } from 'vitest';
import type { BackOffPolicy } from '#device/media/back-off.ts';
import { systemClock } from '#device/media/clock.ts';
import type { Credentials } from '#device/uplink/credentials.ts';
import { EventJournal } from '#device/uplink/event-journal.ts';
import { Outbox } from '#device/uplink/outbox.ts';
import { SessionCounter } from '#device/uplink/session-counter.ts';
import { Uplink } from '#device/uplink/uplink.ts';
import type { Command, Desired, Report, UnjudgedDesired } from '#protocol/messages.ts';
import { upwardTopics } from '#protocol/topics.ts';
import { madeUpBoard } from '../made-up-board.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from './memory-state.ts';
import { TestFleet } from './test-fleet.ts';

const credential = 'the-credential-of-pi-1-'.padEnd(43, 'x');
const quickly: BackOffPolicy = { firstMs: 5, factor: 2, capMs: 40, jitter: 0.5 };

async function startedFleet(): Promise<TestFleet> {
  const fleet = new TestFleet();
  fleet.credentials.set('pi-1', credential);
  await fleet.start();
  onTestFinished(() => fleet.crash());
  return fleet;
}

async function startedUplink(fleet: TestFleet, state = new MemoryState(), changes: Partial<Credentials> = {}) {
  const log = quietLog();
  const events = new EventJournal({ state, clock: systemClock, log });
  await events.start();
  const outbox = new Outbox(events);
  const desired: UnjudgedDesired[] = [];
  const proven: Credentials[] = [];
  const commands: { command: Command; timeLeftMs: number }[] = [];
  const arrivals = { desired: () => {}, command: () => {} };
  const uplink = new Uplink({
    fleetUrl: fleet.url,
    credentials: async () => ({ fleetUrl: fleet.url, deviceId: 'pi-1', credential, ...changes }),
    sessions: new SessionCounter({ state, bootId: 'boot-1', nowMs: systemClock.nowMs, log }),
    outbox,
    clock: systemClock,
    random: Math.random,
    log,
    policy: quickly,
    hello: () => ({
      inventoryDigest: 'a'.repeat(64),
      versions: { agent: '1', node: '24', gstreamer: '1.22', os: 'Debian' },
      appliedRevision: 3,
      appliedDigest: 'b'.repeat(64),
    }),
    onJoined: () => undefined,
    onProven: (credentials) => proven.push(credentials),
    onOnline: () => undefined,
    onDesired: (document) => {
      desired.push(document);
      arrivals.desired();
    },
    onCommand: (command, timeLeftMs) => {
      commands.push({ command, timeLeftMs });
      arrivals.command();
    },
    onEventAck: (upToNumber) => events.acknowledge(upToNumber),
  });
  events.onReady(() => uplink.wake());
  uplink.start();
  onTestFinished(() => uplink.stop());
  return { uplink, outbox, events, desired, commands, arrivals, log, state };
}

const running = { kind: 'running', since: '2026-11-21T12:00:00Z' } as const;

function report(appliedRevision: number): Report {
  const inventory = { board: { id: 'pc', name: 'PC', architecture: 'x86_64' }, cameras: [], microphones: [], encoders: [] };
  return {
    inventory,
    settings: {},
    source: null,
    encoder: null,
    media: running,
    outputs: [],
    conditions: [],
    appliedRevision,
    capabilities: [],
  };
}

test('says that it is here, then who it is, then what waited, in the order of its numbers', async () => {
  const fleet = await startedFleet();
  const { outbox } = await startedUplink(fleet);
  outbox.setReport(report(3));
  await fleet.hear('report');
  expect(fleet.heard.map(({ name, sequence }) => [name, sequence])).toEqual([
    ['presence', 1],
    ['hello', 2],
    ['report', 3],
  ]);
  expect(fleet.heard[0]?.body).toEqual({ state: 'online', reason: 'connected' });
  expect(fleet.heard[1]?.body).toMatchObject({ appliedRevision: 3, appliedDigest: 'b'.repeat(64) });
  expect(fleet.problems).toEqual([]);
});

test('each connection has the next session number, and the will tells of the one that died', async () => {
  const fleet = await startedFleet();
  await startedUplink(fleet);
  const first = await fleet.hear('hello');
  fleet.dropConnections();
  const death = await fleet.hear('presence', ({ state }) => state === 'offline');
  const second = await fleet.hear('hello', (_body, { session }) => session.counter > first.session.counter);
  expect(death.body).toEqual({ state: 'offline', reason: 'connection-lost' });
  expect(death.session).toEqual(first.session);
  expect(second.session).toEqual({ bootId: 'boot-1', counter: first.session.counter + 1 });
});

test('a refused CONNACK never ends the trying', async () => {
  const fleet = await startedFleet();
  fleet.refusals = [3, 5, 4, 2, 5];
  const { log } = await startedUplink(fleet);
  await fleet.hear('hello');
  expect(fleet.connects.map(({ returnCode }) => returnCode)).toEqual([3, 5, 4, 2, 5, 0]);
  expect(log.lines.some((line) => line.includes('refuses this device’s credential'))).toBe(true);
});

test('a server that comes late, dies and comes back finds the device again', async () => {
  const fleet = await startedFleet();
  await fleet.crash();
  const { uplink, outbox, log } = await startedUplink(fleet);
  outbox.setReport(report(1));
  outbox.setReport(report(2));
  await fleet.start();
  await fleet.hear('report', ({ appliedRevision }) => appliedRevision === 2);
  await fleet.crash();
  outbox.setReport(report(4));
  const from = fleet.heard.length;
  await fleet.start();
  await fleet.hear('report', ({ appliedRevision }) => appliedRevision === 4, from);
  expect(uplink.isOnline).toBe(true);
  // Only the latest of what waited was sent, and no number was spent on a server that was not there.
  expect(fleet.heard.filter(({ name }) => name === 'report')).toHaveLength(2);
  const counters = [...new Set(fleet.heard.map(({ session }) => session.counter))];
  expect(counters).toHaveLength(2);
  expect((counters[1] ?? 0) - (counters[0] ?? 0)).toBe(1);
  expect(log.lines.join('\n')).not.toContain(credential);
});

test('a stop is told by the device itself, and the will is not sent', async () => {
  const fleet = await startedFleet();
  const { uplink } = await startedUplink(fleet);
  await fleet.hear('hello');
  await uplink.stop();
  await uplink.stop();
  const offline = await fleet.hear('presence', ({ state }) => state === 'offline');
  expect(offline.body).toEqual({ state: 'offline', reason: 'stopping' });
  await fleet.crash();
  expect(fleet.heard.filter(({ name }) => name === 'presence')).toHaveLength(2);
});

test('a stop while nobody answers does not hang', async () => {
  const fleet = await startedFleet();
  await fleet.crash();
  const { uplink } = await startedUplink(fleet);
  await uplink.stop();
  expect(uplink.isOnline).toBe(false);
});

test('events come in order, until the server has stored them; unacknowledged ones come again', async () => {
  const fleet = await startedFleet();
  const { events } = await startedUplink(fleet);
  for (const detail of ['one', 'two', 'three']) events.add('thing', detail);
  const third = await fleet.hear('event', ({ detail }) => detail === 'three');
  expect(fleet.heard.filter(({ name }) => name === 'event').map(({ body }) => 'detail' in body && body.detail)).toEqual([
    'one',
    'two',
    'three',
  ]);
  await fleet.send('pi-1', 'event-ack', { upToNumber: third.body.number - 1 });
  const from = fleet.heard.length;
  fleet.dropConnections();
  const again = await fleet.hear('event', () => true, from);
  // The two before it are acknowledged by now: it is the oldest.
  expect(again.body).toEqual({ ...third.body, oldestNumber: third.body.number });
});

test('events wait on disk over a restart without network', async () => {
  const fleet = await startedFleet();
  await fleet.crash();
  const first = await startedUplink(fleet);
  first.events.add('camera-lost', 'unplugged');
  await first.events.stop();
  await first.uplink.stop();
  await startedUplink(fleet, first.state);
  await fleet.start();
  expect((await fleet.hear('event')).body).toMatchObject({ kind: 'camera-lost', detail: 'unplugged' });
});

test('settings and commands reach the device; time left is reckoned by the server’s clock', async () => {
  const fleet = await startedFleet();
  const { desired, commands, arrivals } = await startedUplink(fleet);
  await fleet.hear('hello');
  const document: Desired = { revision: 4, digest: 'c'.repeat(64), levels: { fleet: {}, group: {}, device: {} }, relay: null };
  const gotDesired = new Promise<void>((resolve) => {
    arrivals.desired = resolve;
  });
  await fleet.send('pi-1', 'desired', document);
  await gotDesired;
  expect(desired).toEqual([document]);
  const gotCommand = new Promise<void>((resolve) => {
    arrivals.command = resolve;
  });
  // A device whose clock is years ahead still knows that this one has 30 s.
  const command: Command = { id: 'command-1', kind: 'restart-pipeline', arguments: {}, deadline: '2020-01-01T00:00:30Z' };
  await fleet.send('pi-1', 'command', command, '2020-01-01T00:00:00Z');
  await gotCommand;
  expect(commands).toEqual([{ command, timeLeftMs: 30_000 }]);
});

test('how far a command is goes to a server that asked for it, and to no other that the device comes to', async () => {
  const fleet = await startedFleet();
  const { uplink, outbox, commands, arrivals } = await startedUplink(fleet);
  await fleet.hear('hello');
  const wanted: Command = { id: 'command-1', kind: 'run-doctor', arguments: {}, deadline: '2026-11-21T12:05:00Z' };
  const send = async (command: Command) => {
    const arrived = new Promise<void>((resolve) => {
      arrivals.command = resolve;
    });
    await fleet.send('pi-1', 'command', command);
    await arrived;
  };
  /** Sent after the progress, over the same connection: what was to come before it has come. */
  const saidBefore = async (detail: string) => {
    uplink.sendCommandProgress({ id: 'command-1', elapsedMs: 1000, detail });
    outbox.addResult({ id: `marker-${detail}`, outcome: 'done', detail: '' });
    uplink.wake();
    await fleet.hear('command-result', ({ id }) => id === `marker-${detail}`);
    return fleet.heard.flatMap(({ name, body }) => (name === 'command-progress' && 'elapsedMs' in body ? [body.detail] : []));
  };
  await send(wanted);
  expect(await saidBefore('unasked')).toEqual([]);
  await send({ ...wanted, tellProgress: true });
  expect(await saidBefore('asked')).toEqual(['asked']);
  const from = fleet.heard.length;
  fleet.dropConnections();
  await fleet.hear('hello', () => true, from);
  await send(wanted);
  expect(await saidBefore('elsewhere')).toEqual(['asked']);
  await send({ ...wanted, tellProgress: true });
  expect(await saidBefore('again')).toEqual(['asked', 'again']);
  expect(commands).toHaveLength(4);
});

test('a message that is wrong is a line in the log, without its content, and no more', async () => {
  const fleet = await startedFleet();
  const { desired, arrivals, log } = await startedUplink(fleet);
  await fleet.hear('hello');
  const arrived = new Promise<void>((resolve) => {
    arrivals.desired = resolve;
  });
  await fleet.sendRaw('msl/v1/d/pi-1/desired', '{"v":1,"secret-key');
  await fleet.sendRaw('msl/v1/d/pi-1/desired', JSON.stringify({ v: 1, sentAt: 'x', body: { revision: 'secret-key' } }));
  await fleet.sendRaw('msl/v1/d/pi-1/command', '{"v":9}');
  await fleet.send('pi-1', 'desired', { revision: 1, digest: 'c'.repeat(64), levels: { fleet: {}, group: {}, device: {} }, relay: null });
  await arrived;
  expect(desired).toHaveLength(1);
  expect(log.lines.filter((line) => line.includes('was ignored'))).toHaveLength(3);
  expect(log.lines.join('\n')).not.toContain('secret-key');
});

test('previews go while somebody can have them, and never when they are too large', async () => {
  const fleet = await startedFleet();
  const { uplink, outbox } = await startedUplink(fleet);
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);
  uplink.sendPreview(jpeg);
  await fleet.hear('hello');
  outbox.setReport(report(1));
  await fleet.hear('report');
  uplink.sendPreview(Buffer.alloc(upwardTopics.preview.maxBytes + 1));
  uplink.sendPreview(jpeg);
  uplink.sendHealth({ media: running, figures: null, outputs: [], conditions: [], board: madeUpBoard });
  await fleet.hear('health');
  expect(fleet.previews).toEqual([jpeg]);
});

test('a server that knows only the former credential lets the device in with that one', async () => {
  const fleet = await startedFleet();
  const newer = 'newer-'.padEnd(43, 'z');
  await startedUplink(fleet, new MemoryState(), { credential: newer, former: credential });
  await fleet.hear('hello');
  expect(fleet.connects.map(({ returnCode }) => returnCode)).toEqual([4, 0]);
});
