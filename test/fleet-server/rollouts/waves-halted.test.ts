import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OutputStatus } from '#protocol/media.ts';
import type { Report } from '#protocol/messages.ts';
import type { History } from '#protocol/model/history.ts';
import type { RolloutDetail } from '#protocol/model/rollout.ts';
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
  await api.stop();
  api.clock.jump(60_000);
  await startAgain();
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
  await api.stop();
  api.clock.set(-3_600_000);
  await startAgain();
  for (const one of devices) await comeUp(one);
  await flap(2);
  expect(await ask(id)).toMatchObject({ state: 'halted', reason: expect.stringContaining('5 times unwell, offline or drifted') });
  expect(await rolledOutTo()).toEqual(['failed', 'waiting', 'waiting', 'waiting']);
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
