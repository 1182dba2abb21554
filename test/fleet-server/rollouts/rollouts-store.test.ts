import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Desired } from '#protocol/messages.ts';
import type { RolloutDetail } from '#protocol/model/rollout.ts';
import { until } from '../../until.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';
import { connectMany, joinMany, many } from '../many-devices.ts';

let api: ApiUnderTest;
let ids: string[];

beforeEach(async () => {
  api = await startApi();
  ids = await joinMany(api);
  await connectMany(api, ids);
});
afterEach(() => api.close());

const ask = (method: 'GET' | 'POST', path: string, payload?: object) =>
  api.request({ method, url: `/api/v1/rollouts${path}`, ...(payload === undefined ? {} : { payload }) });
const widthsSent = (id: string) =>
  api.published
    .filter(({ deviceId, name }) => deviceId === id && name === 'desired')
    .map(({ body }) => (body as Desired).levels.fleet['AV_VIDEO_WIDTH']);
const allWereSent = (...widths: (number | undefined)[]) =>
  until('each of many devices to be sent it', 25_000, () => ids.every((id) => widthsSent(id).length >= widths.length)).then(() => {
    for (const id of ids) expect(widthsSent(id)).toEqual(widths);
  });
/** As if each had said that what it was sent is in force. */
const confirmAll = () =>
  api
    .store()
    .database.updateTable('devices')
    .set((e) => ({ appliedRevision: e.ref('desiredRevision'), outcomeRevision: e.ref('desiredRevision'), outcome: 'applied' }))
    .execute();

test('a change goes to each of many devices once, ends when each has confirmed it, and is taken back from each', async () => {
  await confirmAll();
  const plan = { kind: 'waves', canary: [ids.at(0), ids.at(-1)], shares: [60, 100], soakS: 0, failureThresholdPercent: 0 };
  const begun = await ask('POST', '', { scope: { kind: 'fleet' }, patch: { AV_VIDEO_WIDTH: 640 }, plan });
  const { id, waves, devices } = begun.json<RolloutDetail>();
  expect(waves.map(({ deviceCount, underWayCount }) => [deviceCount, underWayCount])).toEqual([
    [2, 2],
    [299, 0],
    [200, 0],
  ]);
  expect(devices.map((device) => device.id).toSorted()).toEqual(ids);
  await api.clock.advance(1000);
  expect((await ask('GET', `/${id}`)).json()).toMatchObject({ wave: 0 });

  const reached = [];
  for (let wave = 0; wave < 3; wave += 1) {
    await confirmAll();
    await api.clock.advance(1000);
    const { state, waves: now } = (await ask('GET', `/${id}`)).json<RolloutDetail>();
    reached.push([state, ...now.map(({ steadyCount, underWayCount }) => `${steadyCount}+${underWayCount}`)]);
  }
  expect(reached).toEqual([
    ['running', '2+0', '0+299', '0+0'],
    ['running', '2+0', '299+0', '0+200'],
    ['completed', '2+0', '299+0', '200+0'],
  ]);
  await allWereSent(640);

  expect((await ask('POST', `/${id}/roll-back`)).json()).toMatchObject({ state: 'rolled-back', devices: { length: many } });
  await allWereSent(640, undefined);
});
