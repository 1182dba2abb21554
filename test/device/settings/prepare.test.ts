import { describe, expect, test } from 'vitest';
import { environmentOf, readConfiguration } from '#device/configuration.ts';
import { streamBasis } from '#device/schedule/outlets.ts';
import { changedKeys, fitSettings, judgeSettings, type Machine, relayValues } from '#device/settings/prepare.ts';
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
  const noon = { nowMs: Date.parse('2026-11-21T12:00:00Z'), held: { stream: false, record: false }, isTimeKnown: true, ownZone: null };
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
  ['a camera that was never seen: the card, also where another camera is', 'usb-gone', 'no-signal', 'no-signal'],
  ['a number at which nothing is: the card, also where another camera is', '/dev/video7', 'no-signal', 'no-signal'],
  ['what cannot be streamed at all', 'file:', 'test', 'camera'],
  ['words that no camera is called', 'nosuchsrc location=rtsp://me:hush@there', 'test', 'camera'],
  ['an address', 'rtsp://me:hush@there/', 'test', 'camera'],
])('instead of %s', (_name, source, alone, besideAnother) => {
  const environment = { AV_VIDEO_SOURCE: source };
  const prepared = [[], [webcam]].map((cameras) => fitSettings(null, machineWith({ cameras, environment })));
  expect(prepared.map(({ plan }) => plan.capture.source.kind)).toEqual([alone, besideAnother]);
  for (const { leftOut } of prepared) expect(leftOut).toMatchObject([{ key: 'AV_VIDEO_SOURCE' }]);
});

test('the card of a camera that is not there has nothing of the one that is: neither its modes nor its microphone', () => {
  const own = { id: 'usb-1-1-webcam-audio-0', name: 'Webcam', card: 1, cardId: 'C', device: 0, alsaDevice: 'hw:1,0', usb: null };
  const machine = machineWith({ cameras: [webcam], environment: { AV_VIDEO_SOURCE: 'usb-gone' } });
  const hardware = { ...machine.hardware, microphones: [{ ...own, cameraId: webcam.id }] };
  const { plan, settings, noSound } = fitSettings(null, { ...machine, hardware });
  expect(JSON.stringify(plan)).not.toMatch(/v4l2src|alsasrc/);
  expect(settings.AV_VIDEO_SOURCE).toEqual({ value: 'usb-gone', level: 'environment' });
  expect(noSound).toBeNull();
});

test('a wrong value of the environment is said for as long as no other level has a right one', () => {
  const refusedInEnvironment = [{ key: 'AV_VIDEO_WIDTH', reason: 'AV_VIDEO_WIDTH: expected a whole number' }];
  const machine = { ...bare, refusedInEnvironment };
  expect(fitSettings(desired(1), machine).leftOut).toEqual(refusedInEnvironment);
  expect(fitSettings(desired(1, { AV_VIDEO_WIDTH: 640 }), machine).leftOut).toEqual([]);
  expect(judgeSettings(desired(2, { AV_VIDEO_HEIGHT: 480 }), desired(1), machine).kind).toBe('accepted');
});

test('a lone device whose own address is wrong streams nowhere else; one of a fleet to the fleet’s relay', () => {
  const refusedInEnvironment = [{ key: 'AV_STREAM_URL', reason: 'AV_STREAM_URL: expected an address' }];
  const alone = fitSettings(null, { ...machineWith({ fleetUrl: null, environment: { AV_RECORD: true } }), refusedInEnvironment });
  expect(alone.plan.outputs).toMatchObject([{ kind: 'recording' }]);
  const further = machineWith({ fleetUrl: null, environment: { AV_STREAM_URL_2: 'rtmp://other.example/live' } });
  expect(fitSettings(null, { ...further, refusedInEnvironment }).plan.outputs).toMatchObject([{ target: 'rtmp://other.example/live' }]);
  const member = fitSettings(desired(1), { ...bare, refusedInEnvironment });
  expect(member.plan.outputs).toMatchObject([{ target: 'rtmp://fleet.example:1935/live' }]);
});

const wrongAddresses = ['youtube', 'rtmp://youtube.example:19350x/live', 'rtmp:///live', 'rtmp://a:99999/x'];
const userKey = 'the-key-of-the-user';

function machineOf(settings: Record<string, string>, fleetUrl: string | null): Machine {
  const environment = { AGENT_STATE_DIR: '/state', ...settings };
  const read = readConfiguration(environment, { homeDirectory: null, isBalenaDataWritable: false });
  if (read.kind === 'problems') throw new Error(JSON.stringify(read.problems));
  return { ...bare, ...environmentOf(read.configuration), fleetUrl };
}

describe.each(wrongAddresses)('the key of a wrong address (%s)', (address) => {
  const wrong = { AV_STREAM_URL: address, AV_STREAM_KEY: userKey };

  test('goes nowhere from a lone device', () => {
    const { plan, leftOut } = fitSettings(null, machineOf({ ...wrong, AV_RECORD: '1' }, null));
    expect(plan.outputs).toMatchObject([{ kind: 'recording' }]);
    expect(leftOut).toMatchObject([{ key: 'AV_STREAM_URL' }]);
  });

  test('does not go to the fleet’s relay, which has a key of its own', () => {
    const { plan } = fitSettings(desired(1), machineOf(wrong, bare.fleetUrl));
    expect(plan.outputs).toMatchObject([{ location: `rtmp://fleet.example:1935/live/${relayKey}` }]);
  });

  test('goes nowhere from a further address', () => {
    const { plan, leftOut } = fitSettings(desired(1), machineOf({ AV_STREAM_URL_2: address, AV_STREAM_KEY_2: userKey }, bare.fleetUrl));
    expect(plan.outputs).toMatchObject([{ id: 'rtmp' }]);
    expect(leftOut).toMatchObject([{ key: 'AV_STREAM_URL_2' }]);
  });

  test('nor does one that a stronger level gave for it', () => {
    const { plan } = fitSettings(desired(1, { AV_STREAM_KEY: userKey }), machineOf({ AV_STREAM_URL: address }, bare.fleetUrl));
    expect(plan.outputs).toMatchObject([{ location: `rtmp://fleet.example:1935/live/${relayKey}` }]);
  });
});

test.each(['', '_2'])('nor does a key go from an address that is none to the right one of a stronger level (AV_STREAM_URL%s)', (number) => {
  const machine = machineOf({ [`AV_STREAM_URL${number}`]: 'youtube', [`AV_STREAM_KEY${number}`]: userKey }, bare.fleetUrl);
  const { plan } = fitSettings(desired(1, { [`AV_STREAM_URL${number}`]: 'rtmp://own.example/live' }), machine);
  expect(plan.outputs).toContainEqual(expect.objectContaining({ location: 'rtmp://own.example/live/' }));
});

test('a right address below a wrong one has its own key', () => {
  const machine = machineOf({ AV_STREAM_URL: 'rtmp://own.example/live', AV_STREAM_KEY: 'own' }, bare.fleetUrl);
  const { plan } = fitSettings(desired(1, { AV_STREAM_URL: 'rtmp:///live', AV_STREAM_KEY: userKey }), machine);
  expect(plan.outputs).toMatchObject([{ location: 'rtmp://own.example/live/own' }]);
});

test('a value of the environment that does not fit the hardware is left out and is no reason to refuse a revision', () => {
  const machine = machineWith({ environment: { AV_VIDEO_SOURCE: '/dev/video7' } });
  expect(fitSettings(null, machine).leftOut).toMatchObject([{ key: 'AV_VIDEO_SOURCE' }]);
  expect(judgeSettings(desired(1), null, machine).kind).toBe('accepted');
});

test('a weaker level steps in for a value that is left out', () => {
  const machine = machineWith({ cameras: [webcam], environment: { AV_H264_ENCODER_PARAMS: 'threads=1' } });
  const { settings } = fitSettings(desired(1, { AV_H264_ENCODER_PARAMS: 'no-such-thing=1' }), machine);
  expect(settings.AV_H264_ENCODER_PARAMS).toEqual({ value: 'threads=1', level: 'environment' });
});

test('which keys a revision changes', () => {
  const before = fitSettings(desired(1), bare).settings;
  const after = fitSettings(desired(2, { AV_VIDEO_WIDTH: 640 }), bare).settings;
  expect(changedKeys(before, after)).toEqual(['AV_VIDEO_WIDTH']);
  expect(Object.keys(before)).toEqual([...settingKeys]);
});

test('while the disk of AV_RECORD_DIR is away recordings go elsewhere, and to any other directory as before', () => {
  const recordingsInsteadOf = (directory: string) => (directory === '/mnt/disk' ? '/state/meanwhile' : null);
  const inDirectory = (directory: string | undefined) => {
    const environment = { AV_RECORD: true, ...(directory === undefined ? {} : { AV_RECORD_DIR: directory }) };
    const { plan, recordingsMeanwhile } = fitSettings(null, { ...machineWith({ environment }), recordingsInsteadOf });
    return [recordingsMeanwhile, plan.outputs.map((output) => (output.kind === 'recording' ? output.directory : 'no recording')).at(-1)];
  };
  expect(inDirectory('/mnt/disk')).toEqual(['/state/meanwhile', '/state/meanwhile']);
  expect(inDirectory('/mnt/other')).toEqual([null, '/mnt/other']);
  expect(inDirectory(undefined)).toEqual([null, null]);
});
