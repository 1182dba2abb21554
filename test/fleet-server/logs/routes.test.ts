import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { maxDevices, maxLinesADevice } from '#fleet-server/logs/device-logs.ts';
import type { DeviceLog } from '#protocol/model/log.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, adminPassword, type DeviceVoice, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let voice: DeviceVoice;

beforeEach(async () => {
  api = await startApi();
  voice = api.voice((await api.join()).deviceId);
});
afterEach(() => api.close());

const read = async (after = 0, as?: string) =>
  api.request({ method: 'GET', url: `/api/v1/devices/${voice.id}/logs?after=${after}`, ...(as === undefined ? {} : { as }) });

test('lines come in order, each once to whoever goes on where the last answer ended', async () => {
  expect((await read()).json()).toEqual({ lines: [], next: 0 });
  await voice.say('log', { lines: ['one', 'two'] });
  const first = (await read()).json<DeviceLog>();
  expect(first).toEqual({
    lines: [
      { number: 1, text: 'one' },
      { number: 2, text: 'two' },
    ],
    next: 2,
  });
  await voice.say('log', { lines: ['three'] });
  expect((await read(first.next)).json()).toEqual({ lines: [{ number: 3, text: 'three' }], next: 3 });
  expect((await read(3)).json()).toEqual({ lines: [], next: 3 });
});

test('bounded in lines and devices, and for operators only', async () => {
  for (let index = 0; index < 12; index += 1)
    api.app.logs.onLines(
      voice.id,
      Array.from({ length: 200 }, (_, line) => `${index} ${line}`),
    );
  const log = (await read()).json<DeviceLog>();
  expect(log.lines).toHaveLength(maxLinesADevice);
  expect(log.next).toBe(2400);
  for (let index = 0; index < maxDevices; index += 1) api.app.logs.onLines(`d-${index}`, ['x']);
  expect((await read()).json<DeviceLog>().lines).toEqual([]);
  expect((await read(0, await api.addPerson('vera', 'viewer'))).statusCode).toBe(403);
});

test('lines are told as they come, a client that was cut off goes on where it was, and it ends with the session', async () => {
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  const url = `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}/api/v1/devices/${voice.id}/logs/live`;
  const cookie = await api.signIn('admin', adminPassword);
  const open = async (headers: Record<string, string> = {}) => {
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    const response = await fetch(url, { headers: { cookie, ...headers }, signal: ending.signal });
    let text = '';
    let isOver = false;
    const read = async (): Promise<void> => {
      for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk as Uint8Array);
    };
    read()
      .catch(() => undefined)
      .finally(() => {
        isOver = true;
      });
    return { text: () => text, isOver: () => isOver, end: () => ending.abort() };
  };
  expect((await fetch(url)).status).toBe(401);
  expect((await fetch(url, { headers: { cookie: await api.addPerson('vera', 'viewer') } })).status).toBe(403);
  await voice.say('log', { lines: ['one'] });
  const first = await open();
  await until('what there is', 2000, () => first.text().includes('"text":"one"'));
  await voice.say('log', { lines: ['two'] });
  await until('what is new', 2000, () => first.text().includes('"lines":[{"number":2,"text":"two"}],"next":2'));
  const lastId = /id: (\S+ 2)\n/.exec(first.text())?.[1] ?? 'none';
  first.end();
  await voice.say('log', { lines: ['three'] });
  const second = await open({ 'last-event-id': lastId });
  await until('what came meanwhile', 2000, () => second.text().includes('"number":3'));
  expect(second.text()).not.toContain('"number":2');
  const anew = await open({ 'last-event-id': `of-another-life ${lastId}` });
  await until('all of it', 2000, () => anew.text().includes('"number":1'));
  await api.request({ method: 'DELETE', url: '/api/v1/session', as: cookie });
  await api.clock.advance(15_000);
  await until('the end', 2000, () => second.isOver() && anew.isOver());
});
