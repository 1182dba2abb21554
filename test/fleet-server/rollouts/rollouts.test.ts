import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OutputStatus } from '#protocol/media.ts';
import type { Report } from '#protocol/messages.ts';
import type { AuditPage } from '#protocol/model/audit.ts';
import type { History } from '#protocol/model/history.ts';
import type { RolloutDetail, RolloutList } from '#protocol/model/rollout.ts';
import type { DeviceSettings, LevelSettings, RevisionPage } from '#protocol/model/settings.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
let devices: DeviceVoice[];
const applied = new Set<DeviceVoice>();

beforeEach(async () => {
  api = await startApi();
  applied.clear();
  devices = [];
  for (const name of ['a', 'b', 'c', 'd']) devices.push(api.voice((await api.join({ name, group: 'hall' })).deviceId));
  for (const voice of devices) await comeUp(voice);
  await passSeconds(1);
});
afterEach(() => api.close());

async function comeUp(voice: DeviceVoice): Promise<void> {
  voice.connect();
  await voice.say('presence', bodies.online);
  await confirm(voice);
  api.app.devices.setReception(voice.id, bodies.reception);
}

/** Says that what it was last sent is in force. */
async function confirm(voice: DeviceVoice): Promise<void> {
  const { revision = 1 } = api.lastDesired(voice.id) ?? {};
  await voice.say('applied', { revision, outcome: 'applied', refusals: [], inForceRevision: revision });
}

const passSeconds = async (count: number) => {
  for (let second = 0; second < count; second += 1) {
    for (const voice of applied) await confirm(voice);
    await api.clock.advance(1000);
  }
};
const voice = (index: number) => devices[index] as DeviceVoice;
const waves = { kind: 'waves', canary: 1, shares: [50, 100], soakS: 10, failureThresholdPercent: 0 };
const begin = async (changes: object = {}) => {
  const payload = { scope: { kind: 'group', name: 'hall' }, patch: { AV_VIDEO_WIDTH: 640 }, plan: waves, ...changes };
  return api.request({ method: 'POST', url: '/api/v1/rollouts', payload });
};
const ask = async (id: string, what = '') =>
  (
    await api.request({ method: what === '' ? 'GET' : 'POST', url: `/api/v1/rollouts/${id}${what === '' ? '' : `/${what}`}` })
  ).json<RolloutDetail>();
const width = (index: number) => api.lastDesired(voice(index).id)?.levels.group['AV_VIDEO_WIDTH'];
const widths = () => devices.map((_, index) => width(index));
const rolledOutTo = async () => {
  const [rollout] = (await api.request({ method: 'GET', url: '/api/v1/rollouts' })).json<RolloutList>().rollouts;
  const { devices: rows } = await ask(rollout?.id ?? '');
  return devices.map(({ id }) => rows.find((row) => row.id === id)?.state);
};
const patch = (payload: object) => api.request({ method: 'PATCH', url: '/api/v1/groups/hall/settings', payload });
const group = async () => (await api.request({ method: 'GET', url: '/api/v1/groups/hall/settings' })).json<LevelSettings>().settings;

describe('in waves', () => {
  test('a clock that is set neither ends the time in which each must be well, nor draws it out', async () => {
    for (const one of devices) applied.add(one);
    await begin();
    await passSeconds(3);
    api.clock.set(3_600_000);
    await passSeconds(5);
    expect(widths()).toEqual([640, undefined, undefined, undefined]);
    api.clock.set(-7_200_000);
    await passSeconds(6);
    expect(widths()).toEqual([640, 640, undefined, undefined]);
  });

  test('the time in which nobody saw whether a device is well does not count', async () => {
    applied.add(voice(0));
    await begin();
    await passSeconds(3);
    const { directory, clock } = api;
    await api.stop();
    clock.jump(60_000);
    api = await startApi({ directory, clock });
    devices = devices.map(({ id }) => api.voice(id));
    applied.clear();
    for (const one of devices) await comeUp(one);
    await passSeconds(5);
    expect(await rolledOutTo()).toEqual(['soaking', 'waiting', 'waiting', 'waiting']);
    await passSeconds(7);
    expect(await rolledOutTo()).toEqual(['steady', 'sent', 'waiting', 'waiting']);
  });

  describe('a server that does not lead', () => {
    const passWithoutLeader = async () => {
      const { servers } = api.app;
      servers.isLeader = () => false;
      await api.clock.advance(60_000);
      servers.isLeader = () => true;
    };

    test('does not count time in which another should have looked', async () => {
      applied.add(voice(0));
      await begin();
      await passSeconds(5);
      expect(await rolledOutTo()).toEqual(['soaking', 'waiting', 'waiting', 'waiting']);
      await passWithoutLeader();
      await passSeconds(9);
      expect(await rolledOutTo()).toEqual(['soaking', 'waiting', 'waiting', 'waiting']);
      await passSeconds(3);
      expect(await rolledOutTo()).toEqual(['steady', 'sent', 'waiting', 'waiting']);
    });

    test('nor from when somebody went on with it there', async () => {
      applied.add(voice(0));
      const { id } = (await begin()).json<RolloutDetail>();
      await passSeconds(3);
      await ask(id, 'halt');
      api.app.servers.isLeader = () => false;
      await passSeconds(2);
      await ask(id, 'resume');
      await passWithoutLeader();
      await passSeconds(9);
      expect(await rolledOutTo()).toEqual(['soaking', 'waiting', 'waiting', 'waiting']);
    });
  });

  describe('the time of a canary begins anew', () => {
    beforeEach(async () => {
      applied.add(voice(0));
      await begin();
      await passSeconds(8);
      expect(await rolledOutTo()).toEqual(['soaking', 'waiting', 'waiting', 'waiting']);
      applied.clear();
    });
    const itIsSoakedAnew = async (mend = async () => {}) => {
      expect(await rolledOutTo()).toEqual(['sent', 'waiting', 'waiting', 'waiting']);
      await passSeconds(20);
      expect(widths()).toEqual([640, undefined, undefined, undefined]);
      applied.add(voice(0));
      await passSeconds(1);
      await mend();
      await passSeconds(9);
      expect(await rolledOutTo()).toEqual(['soaking', 'waiting', 'waiting', 'waiting']);
      await passSeconds(4);
      expect(await rolledOutTo()).toEqual(['steady', 'sent', 'waiting', 'waiting']);
    };

    test('when it reports an older revision than it confirmed', async () => {
      const settings = { ...bodies.report().settings, AV_VIDEO_WIDTH: { value: 640, level: 'group' as const } };
      await voice(0).say('report', bodies.report({ appliedRevision: 1 }));
      await passSeconds(2);
      await itIsSoakedAnew(() =>
        voice(0).say('report', bodies.report({ appliedRevision: api.lastDesired(voice(0).id)?.revision ?? 0, settings })),
      );
    });

    test('with another setting of its own', async () => {
      await api.request({ method: 'PATCH', url: `/api/v1/devices/${voice(0).id}/settings`, payload: { AV_VIDEO_HEIGHT: 480 } });
      await passSeconds(2);
      await itIsSoakedAnew();
    });
  });

  describe('what is off the air here on purpose is no trouble:', () => {
    const since = '2026-11-21T12:00:00.000Z';
    const theirs = 'rtmp://other.example/live';
    /** The canary has the change and is on air no longer; says with which settings, outputs and conditions. */
    async function canarySays(
      settings: Report['settings'],
      said: Pick<Report, 'outputs' | 'conditions'>,
      appliedRevision = api.lastDesired(voice(0).id)?.revision ?? 0,
    ): Promise<void> {
      api.app.devices.setReception(voice(0).id, null);
      const { outputs, ...report } = bodies.report({ appliedRevision, conditions: said.conditions });
      await voice(0).say('report', { ...report, outputs: said.outputs, settings: { ...report.settings, ...settings } });
    }
    const toTheirs = (state: OutputStatus['state']): Report['outputs'] =>
      bodies.report().outputs.map((rtmp) => ({ ...rtmp, target: theirs, state }));
    const nowhere = (code: 'outside-schedule' | 'stopped-by-command') => ({ outputs: [], conditions: [{ code, since }] });
    const itSoaks = async () => {
      await passSeconds(5);
      expect(await rolledOutTo()).toEqual(['soaking', 'waiting', 'waiting', 'waiting']);
      await passSeconds(8);
      expect(await rolledOutTo()).toEqual(['steady', 'sent', 'waiting', 'waiting']);
    };
    const url = { AV_STREAM_URL: { value: theirs, level: 'group' as const } };
    const width640 = { AV_VIDEO_WIDTH: { value: 640, level: 'group' as const } };

    test('another stream address', async () => {
      await begin({ patch: { AV_STREAM_URL: theirs } });
      await confirm(voice(0));
      await canarySays(url, { outputs: toTheirs({ kind: 'streaming', since }), conditions: [] });
      await itSoaks();
    });

    test('but the device must have said so of the settings that it confirmed', async () => {
      await begin({ patch: { AV_STREAM_URL: theirs } });
      await canarySays(url, { outputs: toTheirs({ kind: 'streaming', since }), conditions: [] }, 1);
      await confirm(voice(0));
      await passSeconds(2);
      expect(await rolledOutTo()).toEqual(['troubled', 'waiting', 'waiting', 'waiting']);
    });

    test('and the stream must reach that address', async () => {
      const { id } = (await begin({ patch: { AV_STREAM_URL: theirs } })).json<RolloutDetail>();
      await confirm(voice(0));
      await canarySays(url, {
        outputs: toTheirs({ kind: 'waiting', attempt: 3, nextTryAt: since, lastError: 'no route' }),
        conditions: [],
      });
      await passSeconds(35);
      expect(await ask(id)).toMatchObject({ state: 'halted', reason: expect.stringContaining('on air before') });
    });

    test('also of one that went to another address before', async () => {
      await patch({ AV_STREAM_URL: theirs });
      for (const one of devices) await confirm(one);
      await canarySays(url, { outputs: toTheirs({ kind: 'streaming', since }), conditions: [] });
      const canary = [voice(0).id];
      const { id } = (await begin({ plan: { ...waves, canary } })).json<RolloutDetail>();
      await confirm(voice(0));
      await canarySays({ ...url, ...width640 }, { outputs: toTheirs({ kind: 'connecting', attempt: 1 }), conditions: [] });
      await passSeconds(35);
      expect(await ask(id)).toMatchObject({ state: 'halted', reason: expect.stringContaining('on air before') });
    });

    test('hours that are over now', async () => {
      await begin({ patch: { AV_STREAM_SCHEDULE: 'mon-fri 08:00-09:00' } });
      await confirm(voice(0));
      await canarySays({ AV_STREAM_SCHEDULE: { value: 'mon-fri 08:00-09:00', level: 'group' } }, nowhere('outside-schedule'));
      await itSoaks();
    });

    test.each(['outside-schedule', 'stopped-by-command'] as const)('while it soaks: %s', async (code) => {
      await begin();
      await confirm(voice(0));
      await passSeconds(5);
      // It is off the air before it has said why.
      api.app.devices.setReception(voice(0).id, null);
      await passSeconds(2);
      expect(await rolledOutTo()).toEqual(['troubled', 'waiting', 'waiting', 'waiting']);
      await canarySays(width640, nowhere(code));
      await itSoaks();
    });
  });

  test('a canary that goes back to its last good settings while its time is counted halts it', async () => {
    applied.add(voice(0));
    const { id } = (await begin()).json<RolloutDetail>();
    await passSeconds(3);
    applied.clear();
    await api.request({ method: 'PATCH', url: `/api/v1/devices/${voice(0).id}/settings`, payload: { AV_VIDEO_HEIGHT: 480 } });
    await voice(0).say('applied', { revision: 3, outcome: 'rolled-back', refusals: [], inForceRevision: 2 });
    await passSeconds(2);
    expect(await ask(id)).toMatchObject({ state: 'halted', reason: expect.stringContaining('last good settings') });
  });

  test('a canary that falls again and again halts it, also when the server was started anew meanwhile', async () => {
    const flap = async (times: number) => {
      for (let time = 0; time < times; time += 1) {
        for (const reception of [null, bodies.reception]) {
          api.app.devices.setReception(voice(0).id, reception);
          await passSeconds(2);
        }
      }
    };
    applied.add(voice(0));
    const { id } = (await begin()).json<RolloutDetail>();
    await passSeconds(2);
    await flap(3);
    expect(await rolledOutTo()).toEqual(['soaking', 'waiting', 'waiting', 'waiting']);
    const { directory, clock } = api;
    await api.stop();
    clock.set(-3_600_000);
    api = await startApi({ directory, clock });
    devices = devices.map((one) => api.voice(one.id));
    applied.clear();
    for (const one of devices) await comeUp(one);
    await flap(2);
    expect(await ask(id)).toMatchObject({ state: 'halted', reason: expect.stringContaining('5 times unwell, offline or drifted') });
    expect(await rolledOutTo()).toEqual(['failed', 'waiting', 'waiting', 'waiting']);
  });

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

  test('it halts by itself when a device refuses, goes on when told to, and the failure is in the history', async () => {
    const { id } = (await begin()).json<RolloutDetail>();
    const refusals = [{ key: 'AV_VIDEO_WIDTH', reason: 'the camera has no such size' }];
    await voice(0).say('applied', { revision: 2, outcome: 'refused', refusals, inForceRevision: 1 });
    await passSeconds(2);
    const halted = await ask(id);
    expect(halted).toMatchObject({ state: 'halted', reason: expect.stringContaining('no such size'), waves: [{ failedCount: 1 }, {}, {}] });
    expect(halted.devices[0]).toMatchObject({ name: 'a', state: 'failed' });
    const history = (await api.request({ method: 'GET', url: `/api/v1/devices/${voice(0).id}/history` })).json<History>();
    expect(history.entries.map(({ kind }) => kind)).toContain('rollout-failed');
    await passSeconds(20);
    expect(widths().slice(1)).toEqual([undefined, undefined, undefined]);
    expect(await ask(id, 'resume')).toMatchObject({ state: 'running', wave: 1 });
    expect(width(1)).toBe(640);
  });

  test('one that drifts, and was given up, fails at once when it refuses', async () => {
    await patch({ AV_VIDEO_WIDTH: 800 });
    const inForce = { AV_VIDEO_WIDTH: { value: 320, level: 'group' as const } };
    const drifts = async () => {
      await confirm(voice(0));
      const { revision = 0 } = api.lastDesired(voice(0).id) ?? {};
      await voice(0).say('report', bodies.report({ appliedRevision: revision, settings: inForce }));
    };
    for (let minute = 0; minute < 8; minute += 1) {
      await drifts();
      await passSeconds(61);
    }
    await confirm(voice(0));
    const { id } = (await begin({ patch: { AV_VIDEO_HEIGHT: 123 }, plan: { ...waves, canary: [voice(0).id] } })).json<RolloutDetail>();
    const { revision = 0 } = api.lastDesired(voice(0).id) ?? {};
    const refusals = [{ key: 'AV_VIDEO_HEIGHT', reason: 'the camera has no such size' }];
    await voice(0).say('applied', { revision, outcome: 'refused', refusals, inForceRevision: revision - 1 });
    await passSeconds(2);
    expect(await ask(id)).toMatchObject({
      state: 'halted',
      reason: expect.stringContaining('refused: AV_VIDEO_HEIGHT: the camera has no such size'),
    });
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

  test('a canary that is blocked while it is unwell halts it, and has the change no longer', async () => {
    applied.add(voice(0));
    const { id } = (await begin()).json<RolloutDetail>();
    await passSeconds(3);
    api.app.devices.setReception(voice(0).id, null);
    await passSeconds(2);
    expect(await rolledOutTo()).toEqual(['troubled', 'waiting', 'waiting', 'waiting']);
    await api.request({ method: 'POST', url: `/api/v1/devices/${voice(0).id}/access`, payload: { decision: 'block' } });
    await passSeconds(2);
    expect(await ask(id)).toMatchObject({ state: 'halted', reason: expect.stringContaining('It was blocked.') });
    expect(await rolledOutTo()).toEqual(['left', 'waiting', 'waiting', 'waiting']);
    await api.request({ method: 'POST', url: `/api/v1/devices/${voice(0).id}/access`, payload: { decision: 'let-in' } });
    voice(0).newSession();
    voice(0).connect();
    await voice(0).say('hello', bodies.hello());
    expect(widths()).toEqual([undefined, undefined, undefined, undefined]);
    expect(await ask(id, 'resume')).toMatchObject({ state: 'running', wave: 1 });
    expect(widths()).toEqual([undefined, 640, undefined, undefined]);
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
    api = await startApi({ directory: api.directory, clock: api.clock });
    devices = devices.map((one) => api.voice(one.id));
    applied.clear();
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
