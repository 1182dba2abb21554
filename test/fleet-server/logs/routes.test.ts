import { afterEach, beforeEach, expect, test } from 'vitest';
import { maxDevices, maxLinesADevice } from '#fleet-server/logs/device-logs.ts';
import type { DeviceLog } from '#protocol/model/log.ts';
import { type ApiUnderTest, type DeviceVoice, startApi } from '../api-under-test.ts';

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
