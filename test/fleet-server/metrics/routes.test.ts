import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertAlert } from '#fleet-server/alerts/alerts-store.ts';
import { read } from '../../repository/source-files.ts';
import { type ApiUnderTest, bodies, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let id: string;
beforeAll(async () => {
  api = await startApi();
  id = (await api.join({ name: 'the "hall"', group: 'hall' })).deviceId;
  const voice = api.voice(id);
  voice.connect();
  await voice.say('health', { ...bodies.health(25), board: { ...bodies.health().board, temperatureC: 51 } });
});
afterAll(() => api.close());

const server = async () => (await api.app.inject('/metrics')).body;
const devices = async (query = '') => (await api.request({ method: 'GET', url: `/metrics/devices${query}` })).body;

test('the figures of each device need a sign-in, and name it', async () => {
  expect((await api.app.inject('/metrics/devices')).statusCode).toBe(401);
  const text = await devices();
  expect(text).toContain(`makespacelive_device_info{device="${id}",name="the \\"hall\\"",group="hall"} 1\n`);
  expect(text).toContain(`makespacelive_device_online{device="${id}"} 1\n`);
  expect(text).toContain(`makespacelive_device_live{device="${id}"} 0\n`);
  expect(text).toContain(`makespacelive_device_frames_per_second{device="${id}"} 25\n`);
  expect(text).toContain(`makespacelive_device_temperature_celsius{device="${id}"} 51\n`);
  expect(text).toContain('makespacelive_device_left_out 0\n');
  expect(await server()).not.toContain(id);
});

test('of the devices of one group, or of those that match otherwise', async () => {
  const { deviceId } = await api.join({ name: 'elsewhere', group: 'stage' });
  expect(await devices('?group=stage')).toMatch(new RegExp(`^makespacelive_device_online\\{device="${deviceId}"\\} 0$`, 'm'));
  expect(await devices('?group=stage')).not.toContain(id);
  expect(await devices('?state=live')).not.toMatch(/^makespacelive_device_online/m);
  expect(JSON.parse(await devices('?group=A%20B'))).toMatchObject({ code: 'wrong-fields' });
});

test('how long the store takes is told as a histogram', async () => {
  const text = await server();
  expect(text).toContain('# TYPE makespacelive_store_seconds histogram\n');
  const count = Number(/^makespacelive_store_seconds_count (\d+)$/m.exec(text)?.[1]);
  expect(count).toBeGreaterThan(5);
  expect(text).toMatch(/^makespacelive_store_seconds_bucket\{le="\+Inf"\} \d+$/m);
  expect(text).toMatch(/^makespacelive_ingest_seconds_bucket\{le="0\.001"\} 0$/m);
  expect(text).toContain('makespacelive_alerts_open{severity="warning"} 0\n');
});

test('the dashboard for Grafana names only metrics that are told', async () => {
  const told = new Set([...`${await server()}${await devices()}`.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]));
  const { panels } = JSON.parse(read('docs/grafana/fleet.json')) as { panels: { title: string; targets: { expr: string }[] }[] };
  const named = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/(?:makespacelive|process)_[a-z0-9_]+/g) ?? []));
  expect(named.length).toBeGreaterThan(panels.length);
  expect(named.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')).filter((name) => !told.has(name))).toEqual([]);
});

test('open alerts are counted, however many there are', async () => {
  const { database } = api.app.store;
  const of = (number: number) => ({
    ...{
      id: `alert-${number}`,
      key: `key-${number}`,
      ruleId: 'rule',
      ruleName: 'r',
      deviceId: null,
      title: 't',
      detail: 'd',
      severity: 'warning',
    },
    ...{
      openedAtMs: 1,
      resolvedAtMs: null,
      acknowledgedAtMs: null,
      acknowledgedBy: null,
      escalateInMs: null,
      escalatedAtMs: null,
      toldChannels: '',
    },
  });
  for (let number = 0; number < 501; number += 1) await insertAlert(database, of(number));
  expect(await server()).toContain('makespacelive_alerts_open{severity="warning"} 501\n');
});
