import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DriftMemory, driftAfter, maxRepairs, repairPauseMs } from '#fleet-server/settings/drift.ts';
import type { Report } from '#protocol/messages.ts';
import type { History } from '#protocol/model/history.ts';
import type { DeviceSettings } from '#protocol/model/settings.ts';
import { type ApiUnderTest, bodies, type DeviceVoice, startApi } from '../api-under-test.ts';

describe('mending', () => {
  const fine: DriftMemory = { driftedSinceMs: null, driftedKeys: '', driftRepairs: 0, driftRepairAtMs: null };
  test('is bounded: so many times, with a pause, then said once that it was given up', () => {
    let memory = fine;
    const events: string[] = [];
    let repairs = 0;
    for (let nowMs = 0; nowMs < 20 * repairPauseMs; nowMs += repairPauseMs / 2) {
      const step = driftAfter(memory, ['AV_VIDEO_WIDTH'], nowMs);
      memory = step.memory;
      if (step.event !== null) events.push(step.event);
      if (step.isRepair) repairs += 1;
    }
    expect({ repairs, events }).toEqual({ repairs: maxRepairs, events: ['begun', 'given-up'] });
    expect(memory.driftedSinceMs).toBe(0);
    expect(driftAfter(memory, [], 1e9)).toMatchObject({ event: 'mended', memory: { driftedSinceMs: null, driftRepairs: 0 } });
  });
  test('one that drifts again and again is mended once in a pause', () => {
    const first = driftAfter(fine, ['revision'], 1000);
    const again = driftAfter(driftAfter(first.memory, [], 2000).memory, ['revision'], 3000);
    expect([first.isRepair, again.isRepair]).toEqual([true, false]);
  });
  test('waits for no clock that was ahead at the last one', () => {
    let { memory } = driftAfter(fine, ['revision'], 86_400_000);
    const repairs = [0, repairPauseMs - 1, repairPauseMs].map((nowMs) => {
      const step = driftAfter(memory, ['revision'], nowMs);
      memory = step.memory;
      return step.isRepair;
    });
    expect(repairs).toEqual([true, false, true]);
  });
});

describe('a device', () => {
  let api: ApiUnderTest;
  let voice: DeviceVoice;
  beforeEach(async () => {
    api = await startApi();
    const { deviceId } = await api.join({ group: 'hall' });
    voice = api.voice(deviceId);
    voice.connect();
    await voice.say('presence', bodies.online);
    await api.request({ method: 'PATCH', url: '/api/v1/fleet/settings', payload: { AV_VIDEO_WIDTH: 640, AV_STREAM_KEY: 'a-key' } });
    await applied(2);
  });
  afterEach(() => api.close());

  const applied = (revision: number) => voice.say('applied', { revision, outcome: 'applied', refusals: [], inForceRevision: revision });
  const right: Report['settings'] = {
    AV_VIDEO_WIDTH: { value: 640, level: 'fleet' },
    AV_STREAM_KEY: { value: true, level: 'fleet', isSecret: true },
  };
  const report = (appliedRevision: number, settings = right) => voice.say('report', bodies.report({ appliedRevision, settings }));
  const settings = async () => (await api.request({ method: 'GET', url: `/api/v1/devices/${voice.id}/settings` })).json<DeviceSettings>();
  const history = async () =>
    (await api.request({ method: 'GET', url: `/api/v1/devices/${voice.id}/history` }))
      .json<History>()
      .entries.map(({ kind }) => kind)
      .filter((kind) => kind.includes('drift'));

  test('that reports what it should have has not drifted', async () => {
    await report(2);
    expect(await settings()).toMatchObject({ state: 'applied', driftedSince: null });
    expect(await history()).toEqual([]);
  });

  test.each<[string, Report['settings']]>([
    ['another value', { ...right, AV_VIDEO_WIDTH: { value: 800, level: 'fleet' } }],
    ['another level', { ...right, AV_VIDEO_WIDTH: { value: 640, level: 'default' } }],
    ['no secret', { ...right, AV_STREAM_KEY: { value: false, level: 'default', isSecret: true } }],
    ['what nobody set', { ...right, AV_VIDEO_HEIGHT: { value: 480, level: 'group' } }],
  ])('that reports %s is shown as drifted, gets its settings again and is mended', async (_name, wrong) => {
    await report(2, wrong);
    const drifted = await settings();
    expect(drifted).toMatchObject({
      state: 'drifted',
      desiredRevision: 3,
      driftedSince: expect.any(String),
      reason: expect.stringContaining('AV_'),
    });
    expect(api.lastDesired(voice.id)).toMatchObject({ revision: 3, levels: { fleet: { AV_VIDEO_WIDTH: 640 } } });
    await applied(3);
    expect((await settings()).state).toBe('drifted');
    await report(3);
    expect(await settings()).toMatchObject({ state: 'applied', driftedSince: null, appliedRevision: 3 });
    expect(await history()).toEqual(['settings-drift-mended', 'settings-drift-begun']);
  });

  test('that holds an older revision than it confirmed gets the newest again', async () => {
    await report(1, {});
    expect(await settings()).toMatchObject({ state: 'drifted', reason: expect.stringContaining('revision') });
    expect(api.lastDesired(voice.id)?.revision).toBe(3);
  });

  test.each(['refused', 'rolled-back'] as const)('that has drifted, and does not take its settings again: %s', async (outcome) => {
    const wrong: Report['settings'] = { ...right, AV_VIDEO_WIDTH: { value: 800, level: 'fleet' } };
    await report(2, wrong);
    const refusals = [{ key: 'AV_VIDEO_WIDTH', reason: 'the camera has no such size' }];
    await voice.say('applied', { revision: 3, outcome, refusals, inForceRevision: 2 });
    const refused = { state: 'refused', driftedSince: null, reason: 'AV_VIDEO_WIDTH: the camera has no such size' };
    expect(await settings()).toMatchObject(refused);
    await report(2, wrong);
    api.clock.jump(600_000);
    await report(2, wrong);
    expect(await settings()).toMatchObject({ ...refused, desiredRevision: 3 });
    const entries = (await api.request({ method: 'GET', url: `/api/v1/devices/${voice.id}/history` })).json<History>().entries;
    expect(entries.filter(({ kind }) => kind.includes('drift')).map(({ kind, detail }) => `${kind}: ${detail}`)).toEqual([
      'settings-drift-refused: It refuses the settings that were sent again: AV_VIDEO_WIDTH: the camera has no such size',
      expect.stringContaining('settings-drift-begun: '),
    ]);
    // What is set then is looked after as ever.
    await api.request({ method: 'PATCH', url: '/api/v1/fleet/settings', payload: { AV_VIDEO_WIDTH: 800 } });
    await applied(4);
    await report(4, wrong);
    expect(await settings()).toMatchObject({ state: 'applied', appliedRevision: 4 });
    await report(4);
    expect(await settings()).toMatchObject({ state: 'drifted', desiredRevision: 5 });
  });

  test('that has not confirmed yet, or refused, has not drifted', async () => {
    await api.request({ method: 'PATCH', url: '/api/v1/fleet/settings', payload: { AV_VIDEO_WIDTH: 800 } });
    await report(2);
    expect((await settings()).state).toBe('pending');
    await voice.say('applied', { revision: 3, outcome: 'refused', refusals: [], inForceRevision: 2 });
    await report(2);
    expect((await settings()).state).toBe('refused');
    expect(await history()).toEqual([]);
  });
});
