/** A device whose clock stands in 1970, or in 2100, or jumps between the two: order and presence are never drawn from it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { routeUpward } from '#fleet-server/devices/upward-router.ts';
import type { UpwardBody, UpwardName } from '#protocol/envelope.ts';
import type { DeviceList } from '#protocol/model/device.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const times = ['1970-01-01T00:00:00Z', '2100-01-01T00:00:00Z', '1970-01-01T00:00:01Z', '9999-12-31T23:59:59Z', '0000-99-99T99:99:99Z'];

function liar(deviceId: string) {
  let sequence = 0;
  return <N extends UpwardName>(name: N, body: UpwardBody<N>, counter = 1) => {
    sequence += 1;
    const sentAt = times[sequence % times.length] ?? '';
    const envelope = { v: 1, session: { bootId: 'boot-1', counter }, sequence, sentAt, body };
    return routeUpward(api.app, { deviceId, name, envelope } as unknown as Parameters<typeof routeUpward>[1]);
  };
}

const shown = async () => (await api.request({ method: 'GET', url: '/api/v1/devices' })).json<DeviceList>().devices[0];

test('what it says later counts, whatever time it says that it is', async () => {
  const { deviceId } = await api.join();
  const voice = api.voice(deviceId);
  const say = liar(deviceId);
  voice.connect();
  await say('presence', bodies.online);
  for (const framesPerSecond of [10, 20, 30, 15, 25]) {
    await say('health', bodies.health(framesPerSecond));
    expect((await shown())?.figures?.framesPerSecond).toBe(framesPerSecond);
  }
});

test('it is present as long as it is heard, by the server’s own clock', async () => {
  const { deviceId } = await api.join();
  const voice = api.voice(deviceId);
  const say = liar(deviceId);
  const startMs = api.clock.nowMs();
  voice.connect();
  await say('presence', bodies.online);
  for (let turn = 0; turn < 6; turn += 1) {
    await api.clock.advance(10_000);
    await say('health', bodies.health());
    const device = await shown();
    expect(device?.presence.state).toBe('online');
    expect(Date.parse(device?.lastHeardAt ?? '')).toBe(startMs + (turn + 1) * 10_000);
  }
  voice.disconnect();
  await api.clock.advance(2000);
  expect((await shown())?.presence.state).toBe('offline');
});

test('its events stand in the order of their numbers, each once', async () => {
  const { deviceId } = await api.join();
  const say = liar(deviceId);
  for (const number of [1, 2, 3, 3, 4, 2, 5]) {
    await say('event', { number, at: times[number % times.length] ?? '', kind: `happened-${number}`, detail: '' });
  }
  const { entries } = (await api.request({ method: 'GET', url: `/api/v1/devices/${deviceId}/history` })).json<{
    entries: { kind: string }[];
  }>();
  const kinds = entries.map(({ kind }) => kind).filter((kind) => kind.startsWith('happened'));
  expect(kinds).toEqual(['happened-5', 'happened-4', 'happened-3', 'happened-2', 'happened-1']);
});
