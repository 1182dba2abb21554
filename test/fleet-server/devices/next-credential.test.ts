import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Command } from '#protocol/messages.ts';
import type { CommandStatus } from '#protocol/model/command.ts';
import type { History } from '#protocol/model/history.ts';
import { type ApiUnderTest, type DeviceVoice, type Joined, startApi } from '../api-under-test.ts';
import { settle } from '../manual-clock.ts';

let api: ApiUnderTest;
let joined: Joined;
let voice: DeviceVoice;

beforeEach(async () => {
  api = await startApi();
  joined = await api.join();
  voice = api.voice(joined.deviceId);
  voice.connect();
});
afterEach(() => api.close());

async function rotate(): Promise<{ readonly status: CommandStatus; readonly credential: string }> {
  const url = `/api/v1/devices/${joined.deviceId}/commands`;
  const response = await api.request({ method: 'POST', url, payload: { kind: 'rotate-credential' } });
  expect(response.statusCode).toBe(202);
  await settle();
  const sent = api.published.findLast(({ name }) => name === 'command')?.body as Command;
  return { status: response.json<CommandStatus>(), credential: String(sent.arguments['credential']) };
}

const letsIn = (credential: string) => api.app.devices.rights.authenticate(joined.deviceId, credential);

test('both open until the new one was used, then the former opens nothing, also after a restart of the server', async () => {
  const { credential } = await rotate();
  expect(credential).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(letsIn(joined.credential)).toBe(true);
  expect(letsIn(credential)).toBe(true);
  expect(letsIn(joined.credential)).toBe(false);
  await settle();
  const history = (await api.request({ method: 'GET', url: `/api/v1/devices/${joined.deviceId}/history` })).json<History>();
  expect(history.entries.filter(({ kind }) => kind === 'credential-changed')).toHaveLength(1);
  await api.stop();
  const { directory, clock } = api;
  api = await startApi({ directory, clock });
  expect(letsIn(joined.credential)).toBe(false);
  expect(letsIn(credential)).toBe(true);
});

test('asked again before it was used it is the same one: the device may have written it down', async () => {
  const first = await rotate();
  await api.stop();
  const { directory, clock } = api;
  api = await startApi({ directory, clock });
  voice = api.voice(joined.deviceId);
  voice.connect();
  expect(letsIn(joined.credential)).toBe(true);
  expect((await rotate()).credential).toBe(first.credential);
  expect(letsIn(first.credential)).toBe(true);
  expect((await rotate()).credential).not.toBe(first.credential);
});

test('it stands in no table, no answer and no log', async () => {
  const { credential, status } = await rotate();
  const rows = await api.store().database.selectFrom('commands').selectAll().execute();
  const devices = await api.store().database.selectFrom('devices').selectAll().execute();
  const audit = await api.store().database.selectFrom('auditLog').selectAll().execute();
  const everything = JSON.stringify({ rows, devices, audit, status }) + api.logText();
  expect(everything).not.toContain(credential);
});

test('nobody may choose it', async () => {
  const url = `/api/v1/devices/${joined.deviceId}/commands`;
  const payload = { kind: 'rotate-credential', arguments: { credential: 'x'.repeat(43) } };
  expect((await api.request({ method: 'POST', url, payload })).json()).toMatchObject({
    code: 'wrong-fields',
    problems: [{ came: 'some: this server fills them in' }],
  });
});
