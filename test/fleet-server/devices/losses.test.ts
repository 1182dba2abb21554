/** A connection that comes and goes, and is back before any rule about absence speaks. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lossesAfter, lossesNow, lossPolicy, noLosses, readLosses, writeLosses } from '#fleet-server/devices/losses.ts';
import type { AlertList } from '#protocol/model/alert.ts';
import type { DeviceDetail, DeviceList } from '#protocol/model/device.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';

const minuteMs = 60_000;
const lostAt = (...minutes: readonly number[]) =>
  minutes.reduce((losses, minute) => lossesAfter(losses, minute * minuteMs, minute * minuteMs), noLosses);

describe('the losses of a device', () => {
  test.each<[string, readonly number[], number | null]>([
    ['four in a row', [0, 1, 2, 3], null],
    ['five in a row', [0, 1, 2, 3, 4], 4],
    ['of which the first is an hour old', [0, 15, 30, 45, 60], null],
    ['five within an hour', [0, 14, 28, 42, 56], 56],
    ['and it goes on', [0, 14, 28, 42, 56, 70, 84], 56],
  ])('%s', (_name, minutes, since) => {
    expect(lostAt(...minutes).unstableSinceMs).toBe(since === null ? null : since * minuteMs);
  });

  test('are bounded', () => {
    expect(lostAt(...Array.from({ length: 200 }, (_, minute) => minute / 10)).atMs).toHaveLength(lossPolicy.kept);
  });

  test('are over when the connection has held for a quarter of an hour', () => {
    const losses = lostAt(0, 1, 2, 3, 4);
    expect(lossesNow(losses, 18 * minuteMs)).toBe(losses);
    expect(lossesNow(losses, 19 * minuteMs).unstableSinceMs).toBeNull();
  });

  test('that are ahead of the clock were just now', () => {
    const written = writeLosses(lostAt(0, 1, 2, 3, 4), 4 * minuteMs, 4 * minuteMs);
    expect(readLosses(written, 3 * minuteMs, 100 * minuteMs).atMs).toEqual([97, 98, 99, 100, 100].map((minute) => minute * minuteMs));
  });
});

describe('a device whose connection comes and goes', () => {
  let api: ApiUnderTest;
  beforeEach(async () => {
    api = await startApi();
  });
  afterEach(() => api.close());

  const get = async <T>(path: string): Promise<T> => (await api.request({ method: 'GET', url: `/api/v1${path}` })).json<T>();
  const openAlerts = async () => (await get<AlertList>('/alerts?resolved=false')).alerts;
  const codes = async (id: string) => (await get<DeviceDetail>(`/devices/${id}`)).conditions.map(({ code }) => code);
  const restart = async (awayMs = 0) => {
    const { directory, clock } = api;
    await api.stop();
    clock.jump(awayMs);
    api = await startApi({ directory, clock });
  };
  const come = async (voice: DeviceVoice) => {
    voice.connect();
    await voice.say('hello', bodies.hello());
  };
  const lose = async (voice: DeviceVoice, reason?: string) => {
    await come(voice);
    voice.disconnect(reason);
    await api.clock.advance(1000);
    expect((await get<DeviceDetail>(`/devices/${voice.id}`)).presence.state).toBe('offline');
    api.clock.jump(5000);
  };
  const voiceOf = (deviceId: string, boot = 'boot-1') => {
    const voice = api.voice(deviceId);
    voice.newSession(boot);
    return voice;
  };

  test('is told of once, on its page, in the list and as an alert, over a restart; and it is over by itself', async () => {
    const { deviceId } = await api.join({ name: 'stage' });
    for (let time = 0; time < 3; time += 1) await lose(voiceOf(deviceId));
    expect(await codes(deviceId)).toEqual([]);
    await restart();
    for (let time = 0; time < 2; time += 1) await lose(voiceOf(deviceId, 'boot-2'));
    const { conditions } = await get<DeviceDetail>(`/devices/${deviceId}`);
    expect(conditions).toMatchObject([{ code: 'connection-unstable', detail: 'Its connection was lost 5 times within 1 min.' }]);
    await restart();
    expect((await get<DeviceList>('/devices')).devices[0]?.conditions).toEqual(conditions);
    await lose(voiceOf(deviceId, 'boot-3'));
    await come(voiceOf(deviceId, 'boot-4'));
    api.clock.jump(61_000);
    await api.clock.advance(1000);
    expect((await openAlerts()).map(({ title, severity }) => `${severity}: ${title}`)).toEqual([
      'warning: stage: Connection comes and goes',
    ]);
    await restart(lossPolicy.quietMs);
    await come(voiceOf(deviceId, 'boot-5'));
    await api.clock.advance(12_000);
    expect(await codes(deviceId)).toEqual([]);
    expect((await get<AlertList>('/alerts')).alerts.map(({ state }) => state)).toEqual(['resolved']);
  });

  test('is so over a restart, whatever time the clock is set to', async () => {
    const { deviceId } = await api.join();
    for (let time = 0; time < 4; time += 1) await lose(voiceOf(deviceId));
    api.clock.set(7_200_000);
    await lose(voiceOf(deviceId));
    expect(await codes(deviceId)).toEqual(['connection-unstable']);
    api.clock.set(-86_400_000);
    await restart();
    expect(await codes(deviceId)).toEqual(['connection-unstable']);
  });

  test('is not taken for one that said goodbye, whose fleet server was restarted, or at which somebody works', async () => {
    const { deviceId } = await api.join();
    for (let time = 0; time < 6; time += 1) await lose(voiceOf(deviceId), 'goodbye');
    for (let time = 0; time < 6; time += 1) {
      const voice = voiceOf(deviceId, `boot-${time}`);
      await come(voice);
      await voice.say('presence', { state: 'offline', reason: 'stopping' });
      voice.disconnect();
      await api.clock.advance(1000);
    }
    for (let time = 0; time < 6; time += 1) {
      await come(voiceOf(deviceId, `boot-${10 + time}`));
      await restart();
      await api.clock.advance(20_000);
      expect((await get<DeviceDetail>(`/devices/${deviceId}`)).presence.state).toBe('offline');
    }
    const schedule = {
      kind: 'once',
      from: new Date(api.clock.nowMs()).toISOString(),
      to: new Date(api.clock.nowMs() + 3_600_000).toISOString(),
    };
    const payload = { scope: { kind: 'device', id: deviceId }, schedule, reason: 'a new cable' };
    expect((await api.request({ method: 'POST', url: '/api/v1/maintenance-windows', payload })).statusCode).toBe(201);
    await api.clock.advance(1000);
    for (let time = 0; time < 6; time += 1) await lose(voiceOf(deviceId, 'boot-20'));
    expect(await codes(deviceId)).not.toContain('connection-unstable');
  });

  test('is one of its venue, of which there is one alert', async () => {
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.push((await api.join({ name, group: 'hall' })).deviceId);
    for (let time = 0; time < 5; time += 1) {
      const voices = ids.map((id) => voiceOf(id, `boot-${time}`));
      for (const voice of voices) await come(voice);
      for (const voice of voices) voice.disconnect();
      await api.clock.advance(1000);
    }
    for (const id of ids) await come(voiceOf(id, 'boot-9'));
    api.clock.jump(62_000);
    for (const id of ids) await come(voiceOf(id, 'boot-10'));
    await api.clock.advance(2000);
    expect((await openAlerts()).map(({ title }) => title)).toEqual(['3 of 3 devices of hall: Connection comes and goes']);
  });
});
