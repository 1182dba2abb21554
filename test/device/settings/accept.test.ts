import { expect, test } from 'vitest';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { planPipeline } from '#device/plan/plan.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile, withProfileLevels } from '#device/profile/resolve.ts';
import { acceptSettings, findWireProblems } from '#device/settings/accept.ts';
import { resolveSettings, type SettingsByLevel } from '#device/settings/levels.ts';
import { type SettingKey, type SettingValue, settingKeys } from '#protocol/settings.ts';
import { furtherNumbers } from '#protocol/stream-targets.ts';
import { c270, microphone, pi4, server, withDevices } from '../plan/hardware.ts';

const profiles = await loadProfiles();

function accept(levels: SettingsByLevel, hardware: DetectedHardware = server) {
  const profile = resolveProfile(hardware, profiles);
  return acceptSettings(resolveSettings(withProfileLevels(levels, hardware, profile)), hardware, profile);
}

test('defaults are accepted on any machine', () => {
  for (const hardware of [
    server,
    pi4,
    withDevices(server, [c270], [microphone(1)]),
    { ...server, encoders: [], elements: new Set<string>() },
  ]) {
    expect(accept({}, hardware)).toEqual([]);
  }
});

test.each<[SettingKey, SettingValue]>([
  ['AV_STREAM_URL', 'rtmps://live.example.org:443/app'],
  ['AV_STREAM_KEY', 'abcd-1234_EFGH?key=x&y=z'],
  ['AV_ROOM_NAME', 'Room 1, “left” & <right>'],
  ['AV_AUDIO_DEVICE', 'hw:1,0'],
  ['AV_AUDIO_SAMPLING_RATE', 44100],
  ['AV_VIDEO_SOURCE', '/dev/video0'],
  ['AV_VIDEO_SOURCE', 'usb-c270'],
  ['AV_VIDEO_SOURCE', 'test'],
  ['AV_VIDEO_WIDTH', 854],
  ['AV_VIDEO_FRAMERATE', 60],
  ['AV_H264_ENCODER_PARAMS', 'speed-preset=superfast  tune=zerolatency+fastdecode bframes=0 ip-factor=1.4 aud=false'],
  ['AV_H264_ENCODER_PARAMS', ''],
  ['AV_PREVIEW_INTERVAL', 0],
  ['AV_RECORD', true],
  ['AV_RECORD_MAX_GB', 500],
  ['AV_RECORD_SEGMENT', 1],
])('%s=%s is accepted', (key, value) => {
  expect(accept({ device: { [key]: value } }, withDevices(server, [c270], [microphone(1)]))).toEqual([]);
});

const long = 'x'.repeat(10_000);
const bad: readonly (readonly [SettingKey, SettingValue, string])[] = [
  ['AV_STREAM_URL', 'http://h/live', 'an address such as rtmp://host/application'],
  ['AV_STREAM_URL', 'rtmp://', 'an address such as rtmp://host/application'],
  ['AV_STREAM_URL', 'rtmp://:1935/live', 'an address'],
  ['AV_STREAM_URL', 'rtmp://h/live ! filesink', 'an address'],
  ['AV_STREAM_URL', `rtmp://${long}`, 'at most 1024 characters'],
  ['AV_STREAM_URL', 'rtmp://h/live\nrtmp://x/y', 'on one line'],
  ['AV_STREAM_URL', 5, 'an address'],
  ['AV_STREAM_KEY', 'a b', 'without spaces'],
  ['AV_STREAM_KEY', 'a"b', 'without spaces, quotes'],
  ['AV_STREAM_KEY', 'a!b', 'without spaces, quotes'],
  ['AV_STREAM_KEY', 'a\nb', 'on one line'],
  ['AV_STREAM_KEY', long, 'at most 1024 characters'],
  ['AV_ICECAST_URL', 'icecast://h:8000/live.ogg', 'an address such as icecast://'],
  ['AV_ICECAST_URL', 'icecast://source:pass word@h/x', 'an address such as icecast://'],
  ['AV_ICECAST_URL', 'icecast://source:p@:8000/x', 'an address with a host'],
  ['AV_ADAPTIVE_BITRATE', 'perhaps', '1, true, yes'],
  ['AV_VIDEO_BITRATE_MIN', 50, 'from 100 to 20000'],
  ...furtherNumbers.flatMap((number) => [
    [`AV_STREAM_URL_${number}`, 'icecast://h/x', 'an address such as rtmp://host/application'] as const,
    [`AV_STREAM_URL_${number}`, 'rtmp://:1935/live', 'an address with a host'] as const,
    [`AV_STREAM_KEY_${number}`, 'a!b', 'without spaces, quotes'] as const,
  ]),
  ['AV_DISABLE_AUDIO', 'perhaps', '1, true, yes'],
  ['AV_DISABLE_AUDIO', long, '1, true, yes'],
  ['AV_AUDIO_SAMPLING_RATE', 7999, 'from 8000 to 48000'],
  ['AV_AUDIO_SAMPLING_RATE', 48001, 'from 8000 to 48000'],
  ['AV_AUDIO_SAMPLING_RATE', 20000, 'expected one of 8000, 11025'],
  ['AV_AUDIO_SAMPLING_RATE', 'fast', 'a whole number'],
  ['AV_ALLOW_REBOOT', 'perhaps', 'from the device’s own environment only'],
  ['AV_ROOM_NAME', long, 'at most 100 characters'],
  ['AV_AUDIO_DEVICE', '7', 'no microphone "7": none was found'],
  ['AV_AUDIO_DEVICE', 'hw:0 ! filesink', 'a card number'],
  ['AV_AUDIO_DEVICE', '"', 'a card number'],
  ['AV_AUDIO_DEVICE', long, 'at most 128 characters'],
  ['AV_AUDIO_BITRATE', 15, 'from 16 to 320000'],
  ['AV_AUDIO_BITRATE', 320001, 'from 16 to 320000'],
  ['AV_AUDIO_BITRATE', 64.5, 'a whole number'],
  ['AV_VIDEO_SOURCE', '/dev/video9', 'no camera "/dev/video9"'],
  ['AV_VIDEO_SOURCE', 'usb-gone', 'no camera "usb-gone"'],
  ['AV_VIDEO_SOURCE', 'videotestsrc', 'no camera "videotestsrc"'],
  ['AV_VIDEO_SOURCE', 'filesrc location=/etc/passwd ! fakesink', 'no camera'],
  ['AV_VIDEO_SOURCE', 'file:/etc/passwd', 'no other can be chosen from afar'],
  ['AV_VIDEO_SOURCE', '/dev/video0" ! filesink location="/tmp/x', 'no camera'],
  ['AV_VIDEO_SOURCE', '/dev/video0\n', 'on one line'],
  ['AV_VIDEO_SOURCE', true, 'a device path'],
  ['AV_VIDEO_SOURCE', long, 'at most 512 characters'],
  ['AV_VIDEO_WIDTH', 159, 'from 160 to 3840'],
  ['AV_VIDEO_WIDTH', 3842, 'from 160 to 3840'],
  ['AV_VIDEO_WIDTH', 641, 'an even number, came 641'],
  ['AV_VIDEO_WIDTH', true, 'a whole number'],
  ['AV_VIDEO_HEIGHT', 88, 'from 90 to 2160'],
  ['AV_VIDEO_HEIGHT', 2162, 'from 90 to 2160'],
  ['AV_VIDEO_HEIGHT', 361, 'an even number, came 361'],
  ['AV_VIDEO_HEIGHT', '720p', 'a whole number'],
  ['AV_VIDEO_FRAMERATE', 0, 'from 1 to 60'],
  ['AV_VIDEO_FRAMERATE', 61, 'from 1 to 60'],
  ['AV_VIDEO_ROTATE', 45, 'from 0 to 270 in steps of 90'],
  ['AV_VIDEO_ROTATE', -90, 'from 0 to 270'],
  ['AV_VIDEO_ROTATE', 360, 'from 0 to 270'],
  ['AV_VIDEO_BITRATE', 99, 'from 100 to 20000'],
  ['AV_VIDEO_BITRATE', 20001, 'from 100 to 20000'],
  ['AV_VIDEO_BITRATE', Number.NaN, 'a whole number'],
  ['AV_KEYFRAME_INTERVAL', 0, 'from 1 to 10'],
  ['AV_KEYFRAME_INTERVAL', 11, 'from 1 to 10'],
  ['AV_H264_ENCODER_PARAMS', 'no-such-thing=1', 'x264enc has no parameter "no-such-thing"'],
  ['AV_H264_ENCODER_PARAMS', 'rc-lookahead=251', 'expected a whole number from 0 to 250, came "251"'],
  ['AV_H264_ENCODER_PARAMS', 'rc-lookahead=many', 'expected a whole number from 0 to 250'],
  ['AV_H264_ENCODER_PARAMS', 'ip-factor=2.5', 'expected a number from 0 to 2'],
  ['AV_H264_ENCODER_PARAMS', 'cabac=maybe', 'expected true or false'],
  ['AV_H264_ENCODER_PARAMS', 'speed-preset=warp', 'expected one of None, ultrafast'],
  ['AV_H264_ENCODER_PARAMS', 'tune=zerolatency+warp', 'expected one or more of stillimage, fastdecode, zerolatency'],
  ['AV_H264_ENCODER_PARAMS', 'psy-tune=film psy-tune=grain', '"psy-tune" came twice'],
  ['AV_H264_ENCODER_PARAMS', 'name=other', 'a number, a boolean or a named choice'],
  ['AV_H264_ENCODER_PARAMS', 'parent=0', 'a number, a boolean or a named choice'],
  ['AV_H264_ENCODER_PARAMS', 'multipass-cache-file=x.log', 'cannot be changed'],
  ['AV_H264_ENCODER_PARAMS', 'option-string=x', 'cannot be changed'],
  ['AV_H264_ENCODER_PARAMS', 'pass=pass1', 'cannot be changed'],
  ['AV_H264_ENCODER_PARAMS', 'bitrate=100', 'is set by AV_VIDEO_BITRATE'],
  ['AV_H264_ENCODER_PARAMS', 'key-int-max=1', 'is set by AV_KEYFRAME_INTERVAL'],
  ['AV_H264_ENCODER_PARAMS', 'me', 'name=value pairs'],
  ['AV_H264_ENCODER_PARAMS', 'me=', 'name=value pairs'],
  ['AV_H264_ENCODER_PARAMS', '=hex', 'name=value pairs'],
  ['AV_H264_ENCODER_PARAMS', 'me=hex ! filesink location=x', 'name=value pairs'],
  ['AV_H264_ENCODER_PARAMS', 'me="hex"', 'name=value pairs'],
  ['AV_H264_ENCODER_PARAMS', 'me=hex\nme=dia', 'on one line'],
  ['AV_H264_ENCODER_PARAMS', 'a=1 '.repeat(40), 'at most 32'],
  ['AV_H264_ENCODER_PARAMS', long, 'at most 512 characters'],
  ['AV_PREVIEW_INTERVAL', -1, 'from 0 to 60'],
  ['AV_PREVIEW_INTERVAL', 61, 'from 0 to 60'],
  ['AV_STREAM_SCHEDULE', 'sometimes', 'days and times such as Mo-Fr 09:00-17:30'],
  ['AV_STREAM_SCHEDULE', 'Mo 25:00-26:00', 'days and times'],
  ['AV_RECORD_SCHEDULE', long, 'at most 512 characters'],
  ['AV_TIME_ZONE', 'Europe/Nowhere', 'a time zone’s name such as Europe/Berlin'],
  ['AV_TIME_ZONE', '../../etc/passwd', 'a time zone’s name'],
  ['AV_RECORD', 'perhaps', '1, true, yes'],
  ['AV_RECORD_MAX_GB', 0, 'from 1 to 100000'],
  ['AV_RECORD_MAX_GB', 1.5, 'a whole number'],
  ['AV_RECORD_SEGMENT', 0, 'from 1 to 60'],
  ['AV_RECORD_SEGMENT', 61, 'from 1 to 60'],
  ['AV_RECORD_DIR', '/media/disk', 'own environment only'],
  ['AV_RECORD_DIR', '../../etc', 'own environment only'],
  ['AV_AUDIO_SRC', 'audiotestsrc', 'own environment only'],
  ['AV_AUDIO_SRC', long, 'own environment only'],
  ['AV_H264_PARSER_PARAMS', 'config-interval=1', 'own environment only'],
];

const shown = (value: SettingValue) => JSON.stringify(value)?.slice(0, 60);

test.each(bad.map(([key, value, reason]) => ({ name: `${key}=${shown(value)}`, key, value, reason })))(
  '$name is refused',
  ({ key, value, reason }) => {
    const refusals = accept({ device: { [key]: value } });
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toEqual({ key, reason: expect.stringContaining(reason) });
    expect(refusals[0]?.reason).toContain(key);
    expect(refusals[0]?.reason.length).toBeLessThanOrEqual(500);
  },
);

test.each([['recordings'], ['~/recordings'], ['/media/../etc'], ['/media/..'], ['/./x'], [`/${long}`]])(
  'the device’s own environment cannot send recordings to %s',
  (path) => {
    expect(accept({ environment: { AV_RECORD_DIR: path } })).toMatchObject([{ key: 'AV_RECORD_DIR' }]);
  },
);

test('every key has a row of bad input', () => {
  expect(new Set(bad.map(([key]) => key))).toEqual(new Set(settingKeys));
});

test('whatever is refused, a plan of it smuggles in nothing', () => {
  const profile = resolveProfile(server, profiles);
  for (const [key, value] of bad) {
    const { capture } = planPipeline(resolveSettings({ device: { [key]: value } }), server, profile);
    expect(capture.description).not.toMatch(/filesink|filesrc|passwd|multipass/);
  }
});

test('a secret is not shown in its refusal', () => {
  const [refusal] = accept({ device: { AV_STREAM_KEY: 'my secret key' } });
  expect(refusal?.reason).not.toContain('my secret key');
});

test('all problems are named at once', () => {
  const refusals = accept({ device: { AV_VIDEO_WIDTH: 1, AV_VIDEO_SOURCE: 'gone', AV_H264_ENCODER_PARAMS: 'x=1 y=2' } });
  expect(refusals.map((refusal) => refusal.key)).toEqual([
    'AV_VIDEO_SOURCE',
    'AV_VIDEO_WIDTH',
    'AV_H264_ENCODER_PARAMS',
    'AV_H264_ENCODER_PARAMS',
  ]);
});

test('the device’s own environment may name elements and parser parameters', () => {
  const environment = {
    AV_VIDEO_SOURCE: 'videotestsrc pattern=ball',
    AV_AUDIO_SRC: 'audiotestsrc',
    AV_H264_PARSER_PARAMS: 'config-interval=1',
  };
  expect(accept({ environment })).toEqual([]);
  expect(accept({ environment: { AV_H264_PARSER_PARAMS: 'config-interval=1 ! filesink' } })).toMatchObject([
    { key: 'AV_H264_PARSER_PARAMS' },
  ]);
});

test('more than an encoder carries is accepted: the nearest is given', () => {
  expect(accept({ device: { AV_VIDEO_WIDTH: 1920, AV_VIDEO_HEIGHT: 1080, AV_VIDEO_FRAMERATE: 60 } }, pi4)).toEqual([]);
});

test('a turn where GStreamer cannot turn', () => {
  const without = { ...server, elements: new Set([...server.elements].filter((element) => element !== 'videoflip')) };
  expect(accept({ device: { AV_VIDEO_ROTATE: 180 } }, without)).toEqual([
    { key: 'AV_VIDEO_ROTATE', reason: expect.stringContaining('expected 0, because this GStreamer has no videoflip') },
  ]);
  expect(accept({ device: { AV_VIDEO_ROTATE: 0 } }, without)).toEqual([]);
  expect(accept({ device: { AV_VIDEO_ROTATE: 180 } })).toEqual([]);
});

test('parameters of an encoder that could not be asked', () => {
  expect(accept({ device: { AV_H264_ENCODER_PARAMS: 'qp-max=40' } }, pi4)).toEqual([
    { key: 'AV_H264_ENCODER_PARAMS', reason: expect.stringContaining('could be asked') },
  ]);
});

test('over the wire: unknown keys pass, wrong values and keys of the environment do not', () => {
  expect(findWireProblems({ AV_FROM_THE_FUTURE: 'x', AV_VIDEO_WIDTH: 640, AV_STREAM_KEY: '' })).toEqual([]);
  expect(findWireProblems({ AV_VIDEO_WIDTH: 'wide', AV_AUDIO_SRC: 'audiotestsrc', AV_H264_PARSER_PARAMS: '' })).toEqual([
    { key: 'AV_VIDEO_WIDTH', reason: 'AV_VIDEO_WIDTH: expected a whole number from 160 to 3840 (px), came "wide"' },
    { key: 'AV_AUDIO_SRC', reason: 'AV_AUDIO_SRC: expected from the device’s own environment only' },
    { key: 'AV_H264_PARSER_PARAMS', reason: 'AV_H264_PARSER_PARAMS: expected from the device’s own environment only' },
  ]);
});

test('over the wire: what is no value at all is refused by its key, also where this version does not know it, and is not shown', () => {
  const noValue = 'expected a number, true, false or text, came';
  expect(
    findWireProblems({ AV_VIDEO_WIDTH: null, AV_STREAM_KEY: ['hush'], AV_FROM_THE_FUTURE: {}, AV_SOME_TEXT: 'x'.repeat(2049) }),
  ).toEqual([
    { key: 'AV_VIDEO_WIDTH', reason: `AV_VIDEO_WIDTH: ${noValue} null` },
    { key: 'AV_STREAM_KEY', reason: `AV_STREAM_KEY: ${noValue} a list` },
    { key: 'AV_FROM_THE_FUTURE', reason: `AV_FROM_THE_FUTURE: ${noValue} an object` },
    { key: 'AV_SOME_TEXT', reason: 'AV_SOME_TEXT: expected at most 2048 characters, came 2049' },
  ]);
  expect(findWireProblems({ 'no setting of any version': {} })).toEqual([]);
});
