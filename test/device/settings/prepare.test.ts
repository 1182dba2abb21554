import { expect, test } from 'vitest';
import { streamBasis } from '#device/schedule/outlets.ts';
import { changedKeys, fitSettings, judgeSettings, relayValues } from '#device/settings/prepare.ts';
import { settingKeys } from '#protocol/settings.ts';
import { desired, machineWith, relayKey, webcam } from '../bare-machine.ts';

const bare = machineWith();
const withCamera = machineWith({ cameras: [webcam] });

test('the relay that the fleet gave is where the stream goes', () => {
  const { plan, settings } = fitSettings(desired(1), bare);
  expect(settings.AV_STREAM_URL).toEqual({ value: 'rtmp://fleet.example:1935/live', level: 'relay' });
  expect(plan.outputs).toMatchObject([
    { target: 'rtmp://fleet.example:1935/live', location: `rtmp://fleet.example:1935/live/${relayKey}` },
  ]);
  expect(plan.capture.description).not.toContain('relay-secret');
});

test.each([
  ['given', 'media.example', 'rtmp://media.example:1935/live'],
  ['not given', null, 'rtmp://fleet.example:1935/live'],
])('the relay’s host: %s', (_name, host, url) => {
  const values = relayValues({ host, port: 1935, application: 'live', streamKey: 'k' }, 'http://fleet.example:8080/base');
  expect(values).toEqual({ AV_STREAM_URL: url, AV_STREAM_KEY: 'k' });
});

test('the relay’s key never goes to another address', () => {
  const elsewhere = fitSettings(desired(1, { AV_STREAM_URL: 'rtmp://youtube.example/live2' }), bare);
  expect(JSON.stringify(elsewhere.plan)).not.toContain('relay-secret');
  const byEnvironment = fitSettings(desired(1), machineWith({ environment: { AV_STREAM_URL: 'rtmp://own.example/live' } }));
  expect(JSON.stringify(byEnvironment.plan)).not.toContain('relay-secret');
});

test('a device that waits for its fleet’s first word streams nowhere; a lone one where stream.py did', () => {
  expect(fitSettings(null, bare).plan.outputs).toEqual([]);
  expect(fitSettings(null, machineWith({ environment: { AV_RECORD: true } })).plan.outputs).toMatchObject([{ kind: 'recording' }]);
  expect(fitSettings(null, machineWith({ fleetUrl: null })).plan.outputs).toMatchObject([{ target: 'rtmp://10.0.31.212/live' }]);
  const chosen = machineWith({ environment: { AV_STREAM_URL: 'rtmp://own.example/live' } });
  expect(fitSettings(null, chosen).plan.outputs).toMatchObject([{ target: 'rtmp://own.example/live' }]);
});

test('a stream that was switched by hand stays so under settings that say nothing of where and when it streams', () => {
  const { settings } = fitSettings(desired(1), bare);
  const stopped = { ...bare, streamSwitch: { isOn: false, basis: streamBasis(settings) } };
  expect(fitSettings(desired(1), stopped)).toMatchObject({ isStreamSwitchedOn: false, plan: { outputs: [] } });
  expect(fitSettings(desired(2, { AV_VIDEO_WIDTH: 640, AV_RECORD: true }), stopped)).toMatchObject({
    isStreamSwitchedOn: false,
    plan: { outputs: [{ kind: 'recording' }] },
  });
  const judgement = judgeSettings(desired(2, { AV_VIDEO_WIDTH: 640 }), desired(1), stopped);
  expect(judgement).toMatchObject({ kind: 'accepted', prepared: { plan: { outputs: [] } } });
  // A relay that moves is nobody's wish to be on air.
  const moved = { ...desired(3), relay: { host: 'other.example', port: 1935, application: 'live', streamKey: relayKey } };
  expect(fitSettings(moved, stopped).plan.outputs).toEqual([]);
  expect(fitSettings(desired(4, { AV_STREAM_URL: 'rtmp://other.example/live' }), stopped)).toMatchObject({
    isStreamSwitchedOn: null,
    plan: { outputs: [{ kind: 'rtmp' }] },
  });
});

test('a stream that was started by hand goes on outside its hours', () => {
  const hours = desired(1, { AV_STREAM_SCHEDULE: '09:00-11:00', AV_TIME_ZONE: 'UTC' });
  const noon = { nowMs: Date.parse('2026-11-21T12:00:00Z'), held: { stream: false, record: false } };
  const { settings, plan } = fitSettings(hours, bare, noon);
  expect(plan.outputs).toEqual([]);
  const started = { ...bare, streamSwitch: { isOn: true, basis: streamBasis(settings) } };
  expect(fitSettings(hours, started, noon)).toMatchObject({ isStreamSwitchedOn: true, plan: { outputs: [{ kind: 'rtmp' }] } });
});

test.each([
  ['a camera that is not there', { AV_VIDEO_SOURCE: '/dev/video7' }, 'AV_VIDEO_SOURCE', '/dev/video7'],
  ['an encoder parameter that does not exist', { AV_H264_ENCODER_PARAMS: 'no-such-thing=1' }, 'AV_H264_ENCODER_PARAMS', 'no-such-thing'],
  ['a value out of range', { AV_VIDEO_WIDTH: 5 }, 'AV_VIDEO_WIDTH', '5'],
  ['an element from afar', { AV_AUDIO_SRC: 'filesrc location=/etc/passwd' }, 'AV_AUDIO_SRC', ''],
  ['a pipeline from afar', { AV_VIDEO_SOURCE: 'videotestsrc ! tee' }, 'AV_VIDEO_SOURCE', ''],
])('refused: %s', (_name, device, key, named) => {
  const judgement = judgeSettings(desired(2, device), desired(1), bare);
  if (judgement.kind === 'accepted') throw new Error('expected a refusal');
  expect(judgement.refusals.map((refusal) => refusal.key)).toEqual([key]);
  expect(judgement.refusals[0]?.reason).toContain(named);
});

test('one wrong value refuses all of a revision', () => {
  const judgement = judgeSettings(desired(2, { AV_VIDEO_WIDTH: 640, AV_VIDEO_SOURCE: '/dev/video7' }), desired(1), bare);
  expect(judgement.kind).toBe('refused');
});

test('keys of a newer server are let through', () => {
  expect(judgeSettings(desired(2, { AV_OF_TOMORROW: true }), desired(1), bare).kind).toBe('accepted');
});

test('a camera that has been unplugged since does not refuse a change of something else', () => {
  const before = desired(1, { AV_VIDEO_SOURCE: webcam.id });
  const judgement = judgeSettings(desired(2, { AV_VIDEO_SOURCE: webcam.id, AV_VIDEO_BITRATE: 900 }), before, bare);
  if (judgement.kind === 'refused') throw new Error('expected it to be accepted');
  expect(judgement.prepared.settings.AV_VIDEO_BITRATE.value).toBe(900);
  expect(judgement.prepared.leftOut).toMatchObject([{ key: 'AV_VIDEO_SOURCE' }]);
});

test('in force and fitting again when the camera is back', () => {
  const document = desired(1, { AV_VIDEO_SOURCE: webcam.id, AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360 });
  const without = fitSettings(document, bare);
  expect(without.plan.capture.source).toMatchObject({ kind: 'no-signal', id: webcam.id });
  expect(without.plan.capture.width).toBe(640);
  expect(without.leftOut).toMatchObject([{ key: 'AV_VIDEO_SOURCE' }]);
  const back = fitSettings(document, withCamera);
  expect(back.plan.capture.source.kind).toBe('camera');
  expect(back.leftOut).toEqual([]);
});

test.each([
  ['a camera that was never seen', '/dev/video7', 'no-signal'],
  ['what cannot be streamed at all', 'file:/etc/passwd', 'test'],
])('instead of %s', (_name, source, kind) => {
  expect(fitSettings(null, machineWith({ environment: { AV_VIDEO_SOURCE: source } })).plan.capture.source.kind).toBe(kind);
  const another = machineWith({ cameras: [webcam], environment: { AV_VIDEO_SOURCE: source } });
  expect(fitSettings(null, another).plan.capture.source.kind).toBe('camera');
});

test('a value of the environment that does not fit the hardware is left out and is no reason to refuse a revision', () => {
  const machine = machineWith({ environment: { AV_VIDEO_SOURCE: '/dev/video7' } });
  expect(fitSettings(null, machine).leftOut).toMatchObject([{ key: 'AV_VIDEO_SOURCE' }]);
  expect(judgeSettings(desired(1), null, machine).kind).toBe('accepted');
});

test('a weaker level steps in for a value that is left out', () => {
  const machine = machineWith({ cameras: [webcam], environment: { AV_VIDEO_SOURCE: 'test' } });
  const { settings } = fitSettings(desired(1, { AV_VIDEO_SOURCE: '/dev/video7' }), machine);
  expect(settings.AV_VIDEO_SOURCE).toEqual({ value: 'test', level: 'environment' });
});

test('which keys a revision changes', () => {
  const before = fitSettings(desired(1), bare).settings;
  const after = fitSettings(desired(2, { AV_VIDEO_WIDTH: 640 }), bare).settings;
  expect(changedKeys(before, after)).toEqual(['AV_VIDEO_WIDTH']);
  expect(Object.keys(before)).toEqual([...settingKeys]);
});
