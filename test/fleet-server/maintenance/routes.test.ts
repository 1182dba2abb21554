/** Maintenance windows: who may open them, whom they silence, and what is told at their end. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AlertList } from '#protocol/model/alert.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import type { MaintenanceWindow, MaintenanceWindowList } from '#protocol/model/maintenance.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const call = (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, payload?: object, as?: string) =>
  api.request({ method, url: `/api/v1${path}`, ...(payload === undefined ? {} : { payload }), ...(as === undefined ? {} : { as }) });
/** The clock of the test stands at 2026-11-21T12:00Z, a Saturday. */
const once = (minutes: number) => ({
  kind: 'once',
  from: '2026-11-21T11:00:00.000Z',
  to: new Date(Date.parse('2026-11-21T12:00:00Z') + minutes * 60_000).toISOString(),
});
const weekly = { kind: 'weekly', days: ['sat'], from: '13:00', to: '13:10', timeZone: 'Europe/Berlin' };
const open = async (scope: object, schedule: object = once(10)) => {
  const response = await call('POST', '/maintenance-windows', { scope, schedule, reason: 'the hall is rebuilt' });
  expect(response.statusCode, response.body).toBe(201);
  return response.json<MaintenanceWindow>();
};
const windows = async () => (await call('GET', '/maintenance-windows')).json<MaintenanceWindowList>().windows;
const device = async (id: string) => (await call('GET', `/devices/${id}`)).json<DeviceDetail>();
const alerts = async () => (await call('GET', '/alerts?resolved=false')).json<AlertList>().alerts.map(({ title }) => title);

async function deviceThatWent(group?: string): Promise<string> {
  const { deviceId } = await api.join({ name: 'stage', ...(group === undefined ? {} : { group }) });
  const voice = api.voice(deviceId);
  voice.connect();
  await voice.say('hello', bodies.hello());
  voice.disconnect();
  await api.clock.advance(1000);
  return deviceId;
}

describe('a window', () => {
  test.each([
    ['of the fleet', () => ({ kind: 'fleet' })],
    ['of the group', () => ({ kind: 'group', name: 'hall' })],
    ['of the device', (id: string) => ({ kind: 'device', id })],
  ])('%s silences alerts; what is still wrong at its end is told then', async (_name, scopeOf) => {
    const id = await deviceThatWent('hall');
    const made = await open(scopeOf(id), once(2));
    expect((await device(id)).maintenance).toEqual({ windowId: made.id, until: '2026-11-21T12:02:00.000Z', reason: 'the hall is rebuilt' });
    // An alert would have been opened after a minute.
    await api.clock.advance(90_000);
    expect(await alerts()).toEqual([]);
    await api.clock.advance(30_000);
    expect((await device(id)).maintenance).toBeNull();
    await api.clock.advance(63_000);
    expect(await alerts()).toEqual(['stage is offline']);
  });

  test('of another device or group silences nothing', async () => {
    const id = await deviceThatWent('hall');
    await open({ kind: 'group', name: 'foyer' });
    expect((await device(id)).maintenance).toBeNull();
    await api.clock.advance(65_000);
    expect(await alerts()).toEqual(['stage is offline']);
  });

  test('a weekly one is open by the clock of its place, and comes again', async () => {
    const id = await deviceThatWent();
    await open({ kind: 'fleet' }, weekly);
    expect((await device(id)).maintenance?.until).toBe('2026-11-21T12:10:00.000Z');
    // Without what would run meanwhile: nobody is there.
    const sleep = async (ms: number) => {
      await api.stop();
      api.clock.jump(ms);
      api = await startApi({ directory: api.directory, clock: api.clock });
    };
    await sleep(3_600_000);
    expect((await device(id)).maintenance).toBeNull();
    await sleep(7 * 86_400_000 - 3_600_000);
    expect((await device(id)).maintenance?.until).toBe('2026-11-28T12:10:00.000Z');
  });

  test('that is ended is over at once', async () => {
    const id = await deviceThatWent();
    const { id: windowId } = await open({ kind: 'device', id });
    await api.clock.advance(120_000);
    expect(await alerts()).toEqual([]);
    expect((await call('DELETE', `/maintenance-windows/${windowId}`)).statusCode).toBe(204);
    expect((await device(id)).maintenance).toBeNull();
    expect(await windows()).toEqual([]);
    await api.clock.advance(65_000);
    expect(await alerts()).toEqual(['stage is offline']);
    expect((await call('DELETE', `/maintenance-windows/${windowId}`)).statusCode).toBe(404);
  });

  test('an alert that is open stays as it is, and is neither over nor escalated meanwhile', async () => {
    const id = await deviceThatWent();
    await api.clock.advance(65_000);
    expect(await alerts()).toEqual(['stage is offline']);
    await open({ kind: 'device', id }, once(4));
    const voice = api.voice(id);
    voice.connect();
    await api.clock.advance(90_000);
    expect(await alerts()).toEqual(['stage is offline']);
    await api.clock.advance(120_000);
    expect(await alerts()).toEqual([]);
  });

  test.each([
    ['one', { kind: 'once', from: '2026-11-21T13:00:00.000Z', to: '2026-11-21T14:00:00.000Z' }],
    ['a weekly one', { ...weekly, from: '14:00', to: '15:00' }],
  ])('%s that a clock reached too early is open no more once it is set back', async (_which, schedule) => {
    const { deviceId } = await api.join();
    await open({ kind: 'fleet' }, schedule);
    const hourMs = 3_600_000;
    api.clock.set(hourMs);
    await api.clock.advance(1000);
    expect((await device(deviceId)).maintenance?.until).toBe('2026-11-21T14:00:00.000Z');
    api.clock.set(-hourMs);
    await api.clock.advance(1000);
    expect((await device(deviceId)).maintenance).toBeNull();
    api.clock.set(hourMs);
    await api.clock.advance(1000);
    expect((await device(deviceId)).maintenance?.until).toBe('2026-11-21T14:00:00.000Z');
  });

  test('outlives the server, and goes with its device', async () => {
    const { deviceId } = await api.join();
    await open({ kind: 'device', id: deviceId }, weekly);
    await api.stop();
    api = await startApi({ directory: api.directory, clock: api.clock });
    expect((await device(deviceId)).maintenance).not.toBeNull();
    await call('DELETE', `/devices/${deviceId}`);
    expect(await windows()).toEqual([]);
  });
});

describe('who and what', () => {
  test('operators open and end them, viewers look, and both stand in the audit log', async () => {
    const viewer = await api.addPerson('vera', 'viewer');
    const operator = await api.addPerson('olaf', 'operator');
    const request = { scope: { kind: 'fleet' }, schedule: once(5), reason: 'a test' };
    expect((await call('POST', '/maintenance-windows', request, viewer)).statusCode).toBe(403);
    const made = await call('POST', '/maintenance-windows', request, operator);
    expect(made.json()).toMatchObject({ createdBy: 'olaf', openUntil: '2026-11-21T12:05:00.000Z' });
    expect((await call('GET', '/maintenance-windows', undefined, viewer)).statusCode).toBe(200);
    const path = `/maintenance-windows/${made.json<MaintenanceWindow>().id}`;
    expect((await call('DELETE', path, undefined, viewer)).statusCode).toBe(403);
    expect((await call('DELETE', path, undefined, operator)).statusCode).toBe(204);
    const audit = (await call('GET', '/audit-log')).body;
    expect(audit).toContain('maintenance-created');
    expect(audit).toContain('maintenance-ended');
  });

  test.each([
    ['an end before its beginning', { kind: 'once', from: '2026-11-21T13:00:00.000Z', to: '2026-11-21T12:00:00.000Z' }],
    ['one that is over', { kind: 'once', from: '2026-11-20T13:00:00.000Z', to: '2026-11-20T14:00:00.000Z' }],
    ['one that never ends', { kind: 'once', from: '2026-11-21T13:00:00.000Z', to: '2036-11-21T12:00:00.000Z' }],
    ['the 40th of a month', { kind: 'once', from: '2026-11-21T13:00:00.000Z', to: '2026-11-40T12:00:00.000Z' }],
    ['a place that is none', { ...weekly, timeZone: 'Europe/Atlantis' }],
    ['no day', { ...weekly, days: [] }],
  ])('refused: %s', async (_name, schedule) => {
    const response = await call('POST', '/maintenance-windows', { scope: { kind: 'fleet' }, schedule, reason: 'a test' });
    expect(response.statusCode).toBe(400);
    expect(await windows()).toEqual([]);
  });

  test('refused: a device that there is not', async () => {
    const request = { scope: { kind: 'device', id: 'd-nobody' }, schedule: once(5), reason: 'a test' };
    expect((await call('POST', '/maintenance-windows', request)).statusCode).toBe(404);
  });
});

test('a window that is changed counts as it is now, also when it was open, and says who changed what', async () => {
  const { deviceId } = await api.join({ name: 'stage', group: 'hall' });
  const made = await open({ kind: 'device', id: deviceId });
  const change = (body: object, as?: string) => call('PUT', `/maintenance-windows/${made.id}`, { reason: 'longer', ...body }, as);
  const longer = await change({ scope: { kind: 'group', name: 'hall' }, schedule: once(60) });
  expect(longer.json<MaintenanceWindow>()).toMatchObject({ id: made.id, createdBy: 'admin', openUntil: '2026-11-21T13:00:00.000Z' });
  expect((await device(deviceId)).maintenance).toEqual({ windowId: made.id, until: '2026-11-21T13:00:00.000Z', reason: 'longer' });
  await change({ scope: { kind: 'group', name: 'hall' }, schedule: { ...weekly, days: ['mon'] } });
  expect((await device(deviceId)).maintenance).toBeNull();
  const audit = (await call('GET', '/audit-log?action=maintenance-changed')).json<{ entries: { subject: string }[] }>();
  expect(audit.entries.map(({ subject }) => subject)).toEqual(['hall', 'hall']);

  const viewer = await api.addPerson('vera', 'viewer');
  const right = { scope: { kind: 'fleet' }, schedule: once(10) };
  expect((await change(right, viewer)).statusCode).toBe(403);
  expect((await change({ ...right, schedule: once(-1) })).statusCode).toBe(400);
  expect((await change({ ...right, scope: { kind: 'device', id: 'd-nobody' } })).statusCode).toBe(404);
  expect((await call('PUT', '/maintenance-windows/none', { reason: 'r', ...right })).statusCode).toBe(404);
  expect(await windows()).toHaveLength(1);
});
