/** A device that is shut out without being removed. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AlertList } from '#protocol/model/alert.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import type { JoinToken } from '#protocol/model/enrolment.ts';
import type { History } from '#protocol/model/history.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const call = (method: 'GET' | 'POST' | 'PATCH', path: string, payload?: object, as?: string | null) =>
  api.request({ method, url: `/api/v1${path}`, ...(payload === undefined ? {} : { payload }), ...(as === undefined ? {} : { as }) });
const device = async (id: string) => (await call('GET', `/devices/${id}`)).json<DeviceDetail>();
const decide = (id: string, decision: string, as?: string | null) => call('POST', `/devices/${id}/access`, { decision }, as);
const kinds = async (id: string) => (await call('GET', `/devices/${id}/history`)).json<History>().entries.map(({ kind }) => kind);
const connection = (id: string, credential: string) =>
  api.app.inject({ method: 'POST', url: `/api/v1/devices/${id}/connection`, payload: { credential } });

test('is cut off and let in nowhere, keeps its settings and its history, and is let in again', async () => {
  const { deviceId, credential } = await api.join({ name: 'stage' });
  await call('PATCH', `/devices/${deviceId}/settings`, { AV_VIDEO_WIDTH: 640 });
  const voice = api.voice(deviceId);
  voice.connect();
  await voice.say('hello', bodies.hello());
  await voice.say('report', bodies.report());
  const key = api.app.devices.rights.streamKeyFor(deviceId);
  expect(api.app.devices.rights.isStreamKeyRight(deviceId, key)).toBe(true);

  expect((await decide(deviceId, 'block')).statusCode).toBe(204);
  expect(api.app.broker.isConnected(deviceId)).toBe(false);
  expect(api.app.devices.rights.isStreamKeyRight(deviceId, key)).toBe(false);
  expect(api.app.devices.rights.authenticate(deviceId, credential)).toBe(false);
  expect(await device(deviceId)).toMatchObject({
    blockedSince: '2026-11-21T12:00:00.000Z',
    stream: { kind: 'offline', detail: expect.stringContaining('blocked') },
    conditions: [{ code: 'blocked' }],
  });
  // Who shows its credential is told why, and nobody else is told anything.
  const asked = connection(deviceId, credential);
  const guessed = connection(deviceId, 'a'.repeat(43));
  await api.clock.advance(60_000);
  expect((await asked).json()).toMatchObject({ code: 'device-blocked' });
  expect((await guessed).json()).toMatchObject({ code: 'credential-refused' });
  expect((await decide(deviceId, 'block')).statusCode).toBe(204);
  expect((await kinds(deviceId)).filter((kind) => kind === 'blocked')).toEqual(['blocked']);

  await api.stop();
  api = await startApi({ directory: api.directory, clock: api.clock });
  expect(api.app.devices.rights.authenticate(deviceId, credential)).toBe(false);
  expect((await call('GET', `/devices/${deviceId}/settings`)).body).toContain('640');

  expect((await decide(deviceId, 'let-in')).statusCode).toBe(204);
  expect(api.app.devices.rights.authenticate(deviceId, credential)).toBe(true);
  expect(api.app.devices.rights.isStreamKeyRight(deviceId, key)).toBe(true);
  expect(await device(deviceId)).toMatchObject({ blockedSince: null, conditions: [] });
  expect(await kinds(deviceId)).toEqual(expect.arrayContaining(['blocked', 'let-in-again']));
  const log = (await call('GET', '/audit-log')).body;
  for (const action of ['device-blocked', 'device-let-in-again']) expect(log.split(action)).toHaveLength(2);
  expect(log).toContain('"changes":[{"field":"access","before":"let in","after":"blocked"}]');
});

test('is told as nobody’s trouble, and what it still says counts for nothing', async () => {
  const { deviceId } = await api.join({ name: 'stage' });
  const voice = api.voice(deviceId);
  voice.connect();
  await voice.say('hello', bodies.hello());
  await voice.say('report', bodies.report());
  await decide(deviceId, 'block');
  api.app.devices.onConnection(deviceId, 'disconnected', 'revoked');
  await voice.say('health', bodies.health(17));
  await api.clock.advance(2000);
  expect((await device(deviceId)).presence).toMatchObject({ state: 'offline', reason: 'It is blocked.' });
  await api.clock.advance(120_000);
  expect((await call('GET', '/alerts')).json<AlertList>().alerts).toEqual([]);
});

test('its board does not come in by another door', async () => {
  const board = { id: 'b'.repeat(16), hostName: 'pi' };
  const { deviceId } = await api.join({ name: 'stage' });
  const voice = api.voice(deviceId);
  voice.connect();
  await voice.say('hello', { ...bodies.hello(), board });
  await decide(deviceId, 'block');
  const { token } = (await call('POST', '/join-tokens', { uses: 3 })).json<JoinToken>();
  const join = (boardId?: string, joinToken = token) =>
    api.app.inject({
      method: 'POST',
      url: '/api/v1/enrolments',
      payload: { joinToken, name: 'pi', ...(boardId === undefined ? {} : { boardId }) },
    });
  // Refused, it takes no use of the token; without one, nobody is told which board is blocked.
  expect((await join(board.id)).json()).toMatchObject({ code: 'board-blocked' });
  expect((await join(board.id, 'x'.repeat(43))).json()).toMatchObject({ code: 'join-token-refused' });
  expect((await join('c'.repeat(16))).statusCode).toBe(201);
  expect((await join()).statusCode).toBe(201);
  await decide(deviceId, 'let-in');
  expect((await join(board.id)).statusCode).toBe(201);
});

test('is an operator’s to decide', async () => {
  const { deviceId } = await api.join({ name: 'stage' });
  expect((await decide(deviceId, 'block', null)).statusCode).toBe(401);
  expect((await decide(deviceId, 'block', await api.addPerson('eve', 'viewer'))).statusCode).toBe(403);
  expect((await decide(deviceId, 'explode')).statusCode).toBe(400);
  expect((await decide('d-nobody', 'block')).statusCode).toBe(404);
  expect((await decide(deviceId, 'block', await api.addPerson('olaf', 'operator'))).statusCode).toBe(204);
});
