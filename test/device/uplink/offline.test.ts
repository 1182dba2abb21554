/** Hours without a network, a restart and a power cut in between; then everything arrives once, in order, at a real fleet server. */
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { HealthBacklogKeeper } from '#device/health/health-backlog.ts';
import { type Clock, systemClock } from '#device/media/clock.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { EventJournal } from '#device/uplink/event-journal.ts';
import { Outbox } from '#device/uplink/outbox.ts';
import { SessionCounter } from '#device/uplink/session-counter.ts';
import { connectionPolicy, Uplink } from '#device/uplink/uplink.ts';
import type { Health } from '#protocol/messages.ts';
import type { HealthHistory } from '#protocol/model/device.ts';
import type { EnrolmentAnswer } from '#protocol/model/enrolment.ts';
import type { History } from '#protocol/model/history.ts';
import { environmentFor, startServer } from '../../fleet-server/running-server.ts';
import { until } from '../../until.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const hourMs = 3_600_000;
const offlineMs = 8 * hourMs;
const eventEveryMs = 120_000;
const password = 'correct horse battery';

async function startedServer() {
  const directory = await temporaryDirectory();
  const environment = await environmentFor(directory, { FLEET_ADMIN_PASSWORD: password });
  const server = startServer(environment);
  onTestFinished(async () => {
    server.child.kill('SIGTERM');
    await server.exit;
  });
  const { url } = await server.ready;
  const signedIn = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'admin', password }),
  });
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const ask = async <T>(path: string, body?: unknown): Promise<T> => {
    const headers = { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    return (await (await fetch(`${url}/api/v1${path}`, { headers, ...post })).json()) as T;
  };
  const { token } = await ask<{ token: string }>('/join-tokens', {});
  const { deviceId, credential } = await ask<EnrolmentAnswer>('/enrolments', { joinToken: token, name: 'pi' });
  return { url, ask, deviceId, credential };
}

async function journalOn(state: StateDirectory, clock: Clock): Promise<EventJournal> {
  const journal = new EventJournal({ state, clock, log: quietLog() });
  await journal.start();
  return journal;
}

async function passTime(clock: ManualClock, journal: EventJournal, untilMs: number, added: string[]): Promise<void> {
  while (clock.nowMs() < untilMs) {
    journal.add('output-lost', `happening ${added.length}`);
    added.push(`happening ${added.length}`);
    await clock.advance(eventEveryMs);
    // The disk is real, and takes its time.
    await until('the event on disk', 5000, () => journal.nextAfter(0) !== undefined);
  }
}

test('8 hours offline: every event arrives once and in order, after a restart and a power cut in the middle of a write', async () => {
  const directory = await temporaryDirectory();
  const log = quietLog();
  const state = new StateDirectory(directory, log);
  await state.start();
  const startMs = Date.now() - offlineMs;
  const clock = manualClock(startMs);
  const added: string[] = [];

  const first = await journalOn(state, clock);
  await passTime(clock, first, startMs + offlineMs / 2, added);
  await first.stop();

  const second = await journalOn(new StateDirectory(directory, log), clock);
  await passTime(clock, second, startMs + offlineMs, added);
  await second.stop();
  // The power goes while the next version of the file is being written: half of it is there, under its temporary name.
  await writeFile(join(directory, 'events.json.new'), JSON.stringify({ lastNumber: 1, events: [] }));
  await truncate(join(directory, 'events.json.new'), 17);

  const server = await startedServer();
  const third = await journalOn(new StateDirectory(directory, log), systemClock);
  third.add('agent-started', 'after the power cut');
  added.push('after the power cut');
  const backlog = await rememberedHealth(clock, new StateDirectory(directory, log));
  const uplink = uplinkTo(server, new Outbox(third, backlog), third, new StateDirectory(directory, log));
  uplink.start();
  onTestFinished(() => uplink.stop());

  expect(added).toHaveLength(241);
  await until('every event acknowledged', 20_000, () => third.nextAfter(0) === undefined);
  const { entries } = await server.ask<History>(`/devices/${server.deviceId}/history?limit=500`);
  const told = entries.filter(({ origin }) => origin === 'device');
  expect(told.map(({ detail }) => detail).toReversed()).toEqual(added);
  expect(Math.abs(Date.parse(told.at(-1)?.at ?? '') - startMs)).toBeLessThan(1000);

  await until('the health of six hours', 20_000, () => backlog.next() === null);
  const range = `from=${new Date(startMs).toISOString()}&to=${new Date().toISOString()}&stepS=3600`;
  const hours = await until('the health in the store', 5000, async () => {
    const { samples } = await server.ask<HealthHistory>(`/devices/${server.deviceId}/health?${range}`);
    return samples.length >= 6 ? samples : null;
  });
  expect(hours.length).toBeLessThanOrEqual(8);
  // The temperature tells which hour a sample is of: it was put into the right one.
  for (const { at, temperatureC } of hours) {
    expect(Math.abs((Date.parse(at) + hourMs / 2 - startMs) / hourMs - (temperatureC ?? 0))).toBeLessThan(1.1);
  }
  expect(log.lines).toEqual([]);
});

/** The hours of `clock` again, as the health told them: its temperature is the number of the hour. The agent is started again in each. */
async function rememberedHealth(clock: ManualClock, state: StateDirectory): Promise<HealthBacklogKeeper> {
  const start = async () => {
    const backlog = new HealthBacklogKeeper({ state, log: quietLog(), nowMs: clock.nowMs, uptimeMs: clock.monotonicMs });
    await backlog.load('boot-2');
    return backlog;
  };
  let backlog = await start();
  for (let offline = 0; offline < offlineMs; offline += 10_000) {
    backlog.add(healthAt(offline / hourMs));
    await clock.advance(10_000);
    if ((offline + 10_000) % hourMs !== 0) continue;
    await backlog.stop();
    backlog = await start();
  }
  return backlog;
}

function healthAt(temperatureC: number): Health {
  return {
    media: { kind: 'running', since: '2026-11-21T12:00:00Z' },
    figures: { framesPerSecond: 30, videoBitrateKbps: 2500, audioBitrateKbps: 128, framesTotal: 1, width: 1280, height: 720 },
    outputs: [],
    conditions: [],
    board: {
      uptimeS: 1,
      loadAverage1m: 0,
      memoryTotalBytes: 1e9,
      memoryAvailableBytes: 5e8,
      agentRssBytes: 1,
      mediaHostRssBytes: 1,
      diskTotalBytes: 1,
      diskFreeBytes: 1,
      temperatureC,
    },
  };
}

function uplinkTo(
  server: { readonly url: string; readonly deviceId: string; readonly credential: string },
  outbox: Outbox,
  events: EventJournal,
  state: StateDirectory,
): Uplink {
  const { url: fleetUrl, deviceId, credential } = server;
  const log = quietLog();
  return new Uplink({
    fleetUrl,
    credentials: async () => ({ fleetUrl, deviceId, credential }),
    sessions: new SessionCounter({ state, bootId: 'boot-2', nowMs: systemClock.nowMs, log }),
    outbox,
    clock: systemClock,
    random: Math.random,
    log,
    policy: connectionPolicy,
    hello: () => ({
      inventoryDigest: 'a'.repeat(64),
      versions: { agent: '1', node: '24', gstreamer: '1.22', os: 'Debian' },
      appliedRevision: 0,
      appliedDigest: null,
    }),
    onJoined: () => undefined,
    onProven: () => undefined,
    onOnline: () => undefined,
    onDesired: () => undefined,
    onCommand: () => undefined,
    onEventAck: (upToNumber) => events.acknowledge(upToNumber),
  });
}
