import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Command } from '#protocol/messages.ts';
import type { CommandList, CommandStatus } from '#protocol/model/command.ts';
import type { History } from '#protocol/model/device.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';
import { settle } from '../manual-clock.ts';

let api: ApiUnderTest;
let id: string;
let voice: DeviceVoice;

beforeEach(async () => {
  api = await startApi();
  id = (await api.join()).deviceId;
  voice = api.voice(id);
});
afterEach(() => api.close());

const ask = (payload: object = { kind: 'restart-pipeline' }) =>
  api.request({ method: 'POST', url: `/api/v1/devices/${id}/commands`, payload });
const status = async (commandId: string) =>
  (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/commands/${commandId}` })).json<CommandStatus>();
const delivered = () => api.published.filter(({ name }) => name === 'command').map(({ body }) => (body as Command).id);

test('sent at once to a device that is there, done with its first result, which counts once', async () => {
  voice.connect();
  const response = await ask();
  expect(response.statusCode).toBe(202);
  const asked = response.json<CommandStatus>();
  expect(asked).toMatchObject({ kind: 'restart-pipeline', requestedBy: 'admin', finishedAt: null });
  await settle();
  expect(await status(asked.id)).toMatchObject({ state: 'sent' });
  await voice.say('command-result', { id: asked.id, outcome: 'done', detail: 'back after 800 ms' });
  await voice.say('command-result', { id: asked.id, outcome: 'failed', detail: 'late' });
  expect(await status(asked.id)).toMatchObject({ state: 'done', detail: 'back after 800 ms' });
  const history = (await api.request({ method: 'GET', url: `/api/v1/devices/${id}/history` })).json<History>();
  expect(history.entries.filter(({ kind }) => kind === 'command-result')).toHaveLength(1);
  expect(history.entries.find(({ kind }) => kind === 'restart-pipeline')).toMatchObject({ origin: 'person' });
});

test('waits for a device that is away and goes out with its hello, again with the next one', async () => {
  const asked = (await ask()).json<CommandStatus>();
  await settle();
  expect(await status(asked.id)).toMatchObject({ state: 'waiting' });
  voice.connect();
  await voice.say('hello', bodies.hello());
  expect(await status(asked.id)).toMatchObject({ state: 'sent' });
  voice.newSession();
  await voice.say('hello', bodies.hello());
  expect(delivered()).toEqual([asked.id, asked.id]);
});

test('expires at its deadline, is not sent any more, and a late result still says what was done', async () => {
  const asked = (await ask()).json<CommandStatus>();
  await api.clock.advance(61_000);
  expect(await status(asked.id)).toMatchObject({ state: 'expired', finishedAt: expect.any(String) });
  voice.connect();
  await voice.say('hello', bodies.hello());
  expect(delivered()).toEqual([]);
  await voice.say('command-result', { id: asked.id, outcome: 'done', detail: '' });
  expect(await status(asked.id)).toMatchObject({ state: 'done' });
});

test('another device cannot answer for it', async () => {
  const other = api.voice((await api.join({ name: 'other' })).deviceId);
  const asked = (await ask()).json<CommandStatus>();
  await other.say('command-result', { id: asked.id, outcome: 'done', detail: '' });
  expect(await status(asked.id)).toMatchObject({ state: 'waiting' });
});

test('an unknown kind, an unknown device and too many are refused', async () => {
  expect((await ask({ kind: 'format-disk' })).json()).toMatchObject({ code: 'wrong-fields' });
  expect(
    (await api.request({ method: 'POST', url: '/api/v1/devices/d-nothing00/commands', payload: { kind: 'restart-pipeline' } })).statusCode,
  ).toBe(404);
  for (let index = 0; index < 20; index += 1) expect((await ask()).statusCode).toBe(202);
  expect((await ask()).json()).toMatchObject({ code: 'too-many' });
  expect((await api.request({ method: 'GET', url: `/api/v1/devices/${id}/commands` })).json<CommandList>().commands).toHaveLength(20);
});
