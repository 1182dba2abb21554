import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditPage } from '#protocol/model/audit.ts';
import type { RolloutDetail, RolloutList } from '#protocol/model/rollout.ts';
import type { DeviceSettings, RevisionPage } from '#protocol/model/settings.ts';
import { bodies } from '../api-under-test.ts';
import {
  api,
  applied,
  ask,
  begin,
  closeHall,
  comeUp,
  confirm,
  devices,
  group,
  openHall,
  passSeconds,
  patch,
  rolledOutTo,
  startAgain,
  voice,
  waves,
  width,
  widths,
} from './hall.ts';

beforeEach(openHall);
afterEach(closeHall);

describe('in waves', () => {
  test('each goes on when the one before has confirmed and stayed well; the level changes at the end, and to nobody twice', async () => {
    for (const one of devices) applied.add(one);
    const { id } = (await begin({ comment: 'narrower' })).json<RolloutDetail>();
    await passSeconds(1);
    expect(widths()).toEqual([640, undefined, undefined, undefined]);
    expect(await group()).toEqual([]);
    await passSeconds(8);
    expect(widths()).toEqual([640, undefined, undefined, undefined]);
    await passSeconds(4);
    expect(widths()).toEqual([640, 640, undefined, undefined]);
    await passSeconds(12);
    expect(widths()).toEqual([640, 640, 640, 640]);
    expect(await group()).toEqual([]);
    await passSeconds(12);
    expect(await ask(id)).toMatchObject({
      state: 'completed',
      wave: 2,
      revision: 1,
      waves: [{ steadyCount: 1 }, { steadyCount: 1 }, { steadyCount: 2 }],
    });
    expect(await group()).toMatchObject([{ key: 'AV_VIDEO_WIDTH', setBy: 'admin' }]);
    const page = (await api.request({ method: 'GET', url: '/api/v1/groups/hall/settings/revisions' })).json<RevisionPage>();
    expect(page.revisions).toMatchObject([{ number: 1, comment: 'narrower', by: 'admin' }]);
    for (const { id: deviceId } of devices) {
      const sent = api.published.filter((entry) => entry.deviceId === deviceId && entry.name === 'desired');
      expect(sent).toHaveLength(1);
    }
    const audit = (await api.request({ method: 'GET', url: '/api/v1/audit-log?subject=hall' })).body;
    for (const action of ['rollout-begun', 'rollout-completed', 'settings-changed']) expect(audit).toContain(action);
  });

  test('what somebody asked for while the devices were looked at holds', async () => {
    const { id } = (await begin()).json<RolloutDetail>();
    await voice(0).say('applied', { revision: 2, outcome: 'refused', refusals: [], inForceRevision: 1 });
    const { settings, rollouts } = api.app;
    const standings = settings.standings.bind(settings);
    settings.standings = async (...parameters) => {
      settings.standings = standings;
      const seen = await standings(...parameters);
      await rollouts.halt(id, 'somebody');
      return seen;
    };
    await passSeconds(1);
    expect(settings.standings).toBe(standings);
    const { state, reason } = await ask(id);
    expect([state, reason]).toEqual(['halted', 'Halted by somebody.']);
    expect(await rolledOutTo()).toEqual(['failed', 'waiting', 'waiting', 'waiting']);
  });

  test('a group that is renamed while its devices are looked at loses none of them', async () => {
    applied.add(voice(0));
    const { id } = (await begin()).json<RolloutDetail>();
    const { settings } = api.app;
    const standings = settings.standings.bind(settings);
    settings.standings = async (...parameters) => {
      settings.standings = standings;
      const renamed = await api.request({ method: 'PATCH', url: '/api/v1/groups/hall', payload: { name: 'stage' } });
      expect(renamed.statusCode).toBe(200);
      return standings(...parameters);
    };
    await passSeconds(2);
    expect(settings.standings).toBe(standings);
    expect(await ask(id)).toMatchObject({ state: 'running', scope: { name: 'stage' } });
    expect(await rolledOutTo()).toEqual(['soaking', 'waiting', 'waiting', 'waiting']);
  });

  test('a device in it shows the level that it will have, one that is not reached what it has', async () => {
    await begin();
    const shown = async (index: number) => {
      const answer = await api.request({ method: 'GET', url: `/api/v1/devices/${voice(index).id}/settings` });
      return answer.json<DeviceSettings>().settings.find(({ key }) => key === 'AV_VIDEO_WIDTH');
    };
    expect(await shown(0)).toMatchObject({ desired: { value: 640 }, desiredLevel: 'group', state: 'pending' });
    expect(await shown(1)).toMatchObject({ desired: { value: 1280 }, desiredLevel: 'default' });
  });

  test('one that is offline holds nobody up, gets it when it is back, and at the end with all', async () => {
    for (const one of devices) applied.add(one);
    voice(1).disconnect();
    applied.delete(voice(1));
    await passSeconds(2);
    const { id } = (await begin({ plan: { ...waves, shares: [75, 100] } })).json<RolloutDetail>();
    await passSeconds(13);
    expect((await ask(id)).waves[1]).toMatchObject({ deviceCount: 2, underWayCount: 2 });
    voice(2).disconnect();
    applied.delete(voice(2));
    voice(2).newSession();
    await passSeconds(5);
    await comeUp(voice(2));
    applied.add(voice(2));
    await passSeconds(30);
    expect(await ask(id)).toMatchObject({ state: 'completed', waves: [{}, { steadyCount: 2 }, { absentCount: 1 }] });
    voice(1).newSession();
    voice(1).connect();
    await voice(1).say('hello', bodies.hello());
    expect(width(1)).toBe(640);
  });

  test.each(['running', 'halted', 'completed'])('rolled back while %s: everybody has what they had, in one step', async (when) => {
    await patch({ AV_VIDEO_WIDTH: 800, AV_STREAM_KEY: 'the-first-key' });
    for (const one of devices) applied.add(one);
    await passSeconds(1);
    const payload = { AV_VIDEO_WIDTH: 640, AV_STREAM_KEY: 'the-second-key' };
    const { id } = (await begin({ patch: payload })).json<RolloutDetail>();
    await passSeconds(when === 'completed' ? 45 : 15);
    if (when === 'halted') await ask(id, 'halt');
    expect((await ask(id)).state).toBe(when);
    expect(width(1)).toBe(640);
    expect(await ask(id, 'roll-back')).toMatchObject({ state: 'rolled-back' });
    for (const { id: deviceId } of devices) {
      expect(api.lastDesired(deviceId)?.levels.group).toEqual({ AV_VIDEO_WIDTH: 800, AV_STREAM_KEY: 'the-first-key' });
    }
    await passSeconds(3);
    expect(widths()).toEqual([800, 800, 800, 800]);
    const stored = JSON.stringify(await api.store().database.selectFrom('rollouts').selectAll().execute());
    expect(stored + JSON.stringify(await ask(id)) + api.logText()).not.toContain('the-second-key');
    expect((await api.request({ method: 'POST', url: `/api/v1/rollouts/${id}/roll-back` })).statusCode).toBe(409);
  });

  test('the audit log says from what to what it went, and back, and never a secret', async () => {
    await patch({ AV_VIDEO_WIDTH: 800, AV_STREAM_KEY: 'the-first-key' });
    for (const one of devices) await confirm(one);
    const payload = { AV_VIDEO_WIDTH: 640, AV_STREAM_KEY: 'the-second-key', AV_VIDEO_HEIGHT: 480 };
    const { id } = (await begin({ patch: payload })).json<RolloutDetail>();
    await ask(id, 'roll-back');
    const page = (await api.request({ method: 'GET', url: '/api/v1/audit-log?subject=hall' })).json<AuditPage>();
    const changesOf = (wanted: string) =>
      page.entries.find(({ action }) => action === wanted)?.changes.toSorted((a, b) => (a.field < b.field ? -1 : 1));
    const secret = { field: 'AV_STREAM_KEY', before: '(secret)', after: '(secret)' };
    expect(changesOf('rollout-begun')).toEqual([
      secret,
      { field: 'AV_VIDEO_HEIGHT', before: null, after: '480' },
      { field: 'AV_VIDEO_WIDTH', before: '800', after: '640' },
      { field: 'rollout', before: null, after: id },
    ]);
    expect(changesOf('rollout-rolled-back')).toEqual([
      secret,
      { field: 'AV_VIDEO_HEIGHT', before: '480', after: null },
      { field: 'AV_VIDEO_WIDTH', before: '640', after: '800' },
      { field: 'rollout', before: 'running', after: `${id} rolled-back` },
    ]);
  });

  test('a device that leaves the group has what it had there no longer', async () => {
    const { id } = (await begin()).json<RolloutDetail>();
    await api.request({ method: 'PATCH', url: `/api/v1/devices/${voice(0).id}`, payload: { group: 'stage' } });
    expect(api.lastDesired(voice(0).id)?.levels.group).toEqual({});
    await passSeconds(2);
    expect((await ask(id)).devices.find(({ id: one }) => one === voice(0).id)).toMatchObject({ state: 'left' });
  });

  test('it goes on after a restart of the server where it stood', async () => {
    for (const one of devices) applied.add(one);
    const { id } = (await begin()).json<RolloutDetail>();
    await passSeconds(3);
    await api.stop();
    await startAgain();
    expect(await ask(id)).toMatchObject({ state: 'running', wave: 0 });
    for (const one of devices) {
      one.newSession('boot-2');
      one.connect();
      await one.say('presence', bodies.online);
      await one.say('hello', bodies.hello(1));
      await confirm(one);
      api.app.devices.setReception(one.id, bodies.reception);
      applied.add(one);
    }
    await passSeconds(45);
    expect(await ask(id)).toMatchObject({ state: 'completed' });
    expect(widths()).toEqual([640, 640, 640, 640]);
  });
});

test('one whose settings were changed since its end is rolled back only if that is asked for', async () => {
  await patch({ AV_VIDEO_WIDTH: 800 });
  for (const one of devices) applied.add(one);
  await passSeconds(1);
  const { id } = (await begin({ plan: { kind: 'all-at-once' } })).json<RolloutDetail>();
  await passSeconds(2);
  await patch({ AV_VIDEO_WIDTH: 320 });
  const rollBack = (payload?: object) =>
    api.request({ method: 'POST', url: `/api/v1/rollouts/${id}/roll-back`, ...(payload === undefined ? {} : { payload }) });
  for (const payload of [undefined, {}, { override: false }]) {
    const refused = await rollBack(payload);
    expect([refused.statusCode, refused.json()]).toMatchObject([409, { code: 'changed-since', problems: [{ key: 'AV_VIDEO_WIDTH' }] }]);
  }
  expect((await rollBack({ overide: true })).statusCode).toBe(400);
  expect(widths()).toEqual([320, 320, 320, 320]);
  expect((await rollBack({ override: true })).json()).toMatchObject({ state: 'rolled-back' });
  expect(widths()).toEqual([800, 800, 800, 800]);
});

test('all at once: everybody has it at once, and the level when each has said so', async () => {
  const { id } = (await begin({ plan: { kind: 'all-at-once' } })).json<RolloutDetail>();
  expect(widths()).toEqual([640, 640, 640, 640]);
  for (const one of devices) applied.add(one);
  await passSeconds(2);
  expect(await ask(id)).toMatchObject({ state: 'completed', waves: [{ deviceCount: 4, steadyCount: 4 }] });
});

describe('refused', () => {
  test('a change of the same key at that level while it is rolled out, by hand or by another roll-out', async () => {
    const { id } = (await begin()).json<RolloutDetail>();
    const by = await patch({ AV_VIDEO_WIDTH: 320 });
    expect(by.statusCode).toBe(409);
    expect(by.json()).toMatchObject({ code: 'under-way', message: expect.stringContaining(id) });
    expect((await begin({ patch: { AV_VIDEO_WIDTH: 320 } })).statusCode).toBe(409);
    expect((await patch({ AV_VIDEO_HEIGHT: 480 })).statusCode).toBe(200);
    expect((await begin({ patch: { AV_VIDEO_FRAMERATE: 25 } })).statusCode).toBe(201);
    expect((await api.request({ method: 'GET', url: '/api/v1/rollouts?limit=1' })).json<RolloutList>().rollouts).toHaveLength(1);
  });

  test.each([
    ['a wrong value', { patch: { AV_VIDEO_WIDTH: 'wide' } }, 400, 'settings-refused'],
    ['what is set already', { patch: { AV_VIDEO_WIDTH: null } }, 400, 'settings-refused'],
    ['an empty group', { scope: { kind: 'group', name: 'nobody' } }, 400, 'wrong-fields'],
    ['wrong shares', { plan: { ...waves, shares: [50, 20, 100] } }, 400, 'wrong-fields'],
    ['a canary of another group', { plan: { ...waves, canary: ['d-other-one'] } }, 400, 'wrong-fields'],
  ])('%s', async (_name, changes, status, code) => {
    const answer = await begin(changes);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ code });
    expect((await api.store().database.selectFrom('settingsTrials').selectAll().execute()).length).toBe(0);
  });

  test('somebody who may only look, and one that is over', async () => {
    const viewer = await api.addPerson('eve', 'viewer');
    const { id } = (await begin({ plan: { kind: 'all-at-once' } })).json<RolloutDetail>();
    for (const what of ['halt', 'resume', 'roll-back']) {
      expect((await api.request({ method: 'POST', url: `/api/v1/rollouts/${id}/${what}`, as: viewer })).statusCode).toBe(403);
    }
    expect((await api.request({ method: 'POST', url: `/api/v1/rollouts/${id}/resume` })).json()).toMatchObject({ code: 'under-way' });
    expect((await api.request({ method: 'POST', url: '/api/v1/rollouts/nothing/halt' })).statusCode).toBe(404);
  });
});
