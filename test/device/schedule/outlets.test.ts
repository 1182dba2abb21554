import { expect, test } from 'vitest';
import { decideOutlets, describePause, type Outlets, streamBasis, withinOutlets } from '#device/schedule/outlets.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { testPlan } from '../media/test-plan.ts';

const noon = Date.parse('2026-11-21T12:00:00Z');
const off: Outlets = { stream: false, record: false };
const on: Outlets = { stream: true, record: true };
const settings = (environment: SettingValues) => resolveSettings({ environment });
const morning = '09:00-11:00';
const midday = '11:00-13:00';
const zone = { AV_TIME_ZONE: 'UTC' };

test.each<[string, SettingValues, Outlets]>([
  ['nothing set: always', {}, on],
  ['the stream alone', { ...zone, AV_STREAM_SCHEDULE: morning }, { stream: false, record: true }],
  ['the recording alone', { ...zone, AV_RECORD_SCHEDULE: morning }, { stream: true, record: false }],
  ['both, within', { ...zone, AV_STREAM_SCHEDULE: midday, AV_RECORD_SCHEDULE: midday }, on],
])('%s', (_name, values, allowed) => {
  expect(decideOutlets(settings(values), { nowMs: noon, isTimeKnown: true, held: off, ownZone: null }).allowed).toEqual(allowed);
});

test('the next change is the nearer of both', () => {
  const decision = decideOutlets(settings({ ...zone, AV_STREAM_SCHEDULE: '18:00-19:00', AV_RECORD_SCHEDULE: midday }), {
    nowMs: noon,
    isTimeKnown: true,
    held: on,
    ownZone: null,
  });
  expect(decision.changesAtMs).toBe(Date.parse('2026-11-21T13:00:00Z'));
  expect(decision.streamChangesAtMs).toBe(Date.parse('2026-11-21T18:00:00Z'));
});

test.each([on, off])('a time that is not known leaves what has a schedule as it was: %o', (held) => {
  const both = settings({ AV_STREAM_SCHEDULE: midday, AV_RECORD_SCHEDULE: midday });
  const decision = decideOutlets(both, { nowMs: noon, isTimeKnown: false, held, ownZone: null });
  expect(decision).toMatchObject({ allowed: held, isClockSet: false, changesAtMs: null });
  expect(describePause(decision)).toContain('waits for the time of day');
  expect(decideOutlets(settings({}), { nowMs: noon, isTimeKnown: false, held, ownZone: null }).allowed).toEqual(on);
});

test('outputs go by their kind; the capture goes on for the previews', () => {
  const plan = testPlan({ target: 'rtmp://h/live' });
  const { allowed } = decideOutlets(settings({ ...zone, AV_STREAM_SCHEDULE: morning }), {
    nowMs: noon,
    isTimeKnown: true,
    held: on,
    ownZone: null,
  });
  expect(withinOutlets(plan, allowed)).toEqual({ ...plan, outputs: [] });
  expect(withinOutlets(plan, { stream: true, record: false })).toEqual(plan);
});

test('what a switch stands against says the same of settings without later targets as ever, and names each that is set', () => {
  const values = { AV_STREAM_URL: 'rtmp://h/live', AV_STREAM_SCHEDULE: morning };
  // As it is kept on devices' disks.
  expect(streamBasis(settings(values))).toBe('["rtmp://h/live",null,null,null,null,"09:00-11:00"]');
  expect(streamBasis(settings({ ...values, AV_STREAM_URL_9: 'rtmp://nine/live' }))).toBe(
    '["rtmp://h/live",null,null,null,null,"09:00-11:00",["AV_STREAM_URL_9","rtmp://nine/live"]]',
  );
});
