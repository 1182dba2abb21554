import { describe, expect, test } from 'vitest';
import { audioBitsPerSecond, describeValue, parseSetting, type SettingKey, settingDefinitions, settingKeys } from '#protocol/settings.ts';

describe('values that are read', () => {
  test.for([
    ['AV_VIDEO_WIDTH', '640', 640],
    ['AV_VIDEO_WIDTH', 640, 640],
    ['AV_VIDEO_WIDTH', ' 640 ', 640],
    ['AV_DISABLE_AUDIO', '1', true],
    ['AV_DISABLE_AUDIO', 'Yes', true],
    ['AV_DISABLE_AUDIO', 'off', false],
    ['AV_DISABLE_AUDIO', false, false],
    ['AV_AUDIO_DEVICE', 2, '2'],
    ['AV_AUDIO_DEVICE', 'hw:2,0', 'hw:2,0'],
    ['AV_STREAM_URL', 'rtmps://live.example.org/app', 'rtmps://live.example.org/app'],
    ['AV_STREAM_KEY', 'd-1?key=abc', 'd-1?key=abc'],
    ['AV_H264_ENCODER_PARAMS', 'bframes=2 ref=1', 'bframes=2 ref=1'],
  ] as const)('%s %j', ([key, raw, value]) => {
    expect(parseSetting(key, raw)).toEqual({ kind: 'value', value });
  });

  test.for(settingKeys.map((key) => [key] as const))('%s: empty text and null are unset', ([key]) => {
    expect(parseSetting(key, '')).toEqual({ kind: 'unset' });
    expect(parseSetting(key, null)).toEqual({ kind: 'unset' });
  });

  test.for(settingKeys.map((key) => [key] as const))('%s: its own default fits', ([key]) => {
    const { default: fallback } = settingDefinitions[key];
    if (fallback !== null && fallback !== '') expect(parseSetting(key, fallback)).toEqual({ kind: 'value', value: fallback });
  });
});

describe('values that are refused', () => {
  const long = 'x'.repeat(10_000);
  const rows: readonly (readonly [SettingKey, unknown])[] = [
    ...settingKeys.flatMap((key) => [[key, long] as const, [key, {}] as const, [key, ['1']] as const, [key, 'a\nb'] as const]),
    ['AV_VIDEO_WIDTH', 0],
    ['AV_VIDEO_WIDTH', -640],
    ['AV_VIDEO_WIDTH', 640.5],
    ['AV_VIDEO_WIDTH', '640x360'],
    ['AV_VIDEO_WIDTH', '6.4e2'],
    ['AV_VIDEO_WIDTH', Number.NaN],
    ['AV_VIDEO_WIDTH', 1e12],
    ['AV_VIDEO_FRAMERATE', 1000],
    ['AV_DISABLE_AUDIO', 'maybe'],
    ['AV_STREAM_URL', 'http://host/app'],
    ['AV_STREAM_URL', 'rtmp://host/app ! filesink location=/etc/passwd'],
    ['AV_STREAM_KEY', 'a b'],
    ['AV_STREAM_KEY', 'a"b'],
    ['AV_H264_ENCODER_PARAMS', 'bframes=2 ! filesink'],
    ['AV_H264_ENCODER_PARAMS', 'multipass-cache-file=/etc/x'],
    ['AV_AUDIO_DEVICE', 'hw:1 ! tee'],
    ['AV_AUDIO_DEVICE', '"hw:1"'],
  ];
  test.for(rows.map(([key, raw]) => [key, describeValue(raw), raw] as const))('%s %s', ([key, , raw]) => {
    const parsed = parseSetting(key, raw);
    expect(parsed.kind).toBe('problem');
    if (parsed.kind !== 'problem') return;
    expect(parsed.problem.expected).not.toBe('');
    expect(parsed.problem.came.length).toBeLessThan(120);
  });

  test.each([
    ['rtmp://user:hush@host/app/hush key', '"rtmp://…@host/…"'],
    ['rtmp://user:hu/sh@host/app', '"rtmp://…"'],
    ['http://host', '"http://host"'],
    ['http://host:8080/hush', '"http://host:8080/…"'],
    ['HTTP://host?token=hush', '"HTTP://host/…"'],
    ['rtmp://host hush/\n@', '"rtmp://…"'],
    ['hw:1 ! tee', '"hw:1 ! tee"'],
  ])('a password or key in an address that is refused is not shown: %s', (value, shown) => {
    expect(describeValue(value)).toBe(shown);
  });

  test('a refused secret is not shown', () => {
    const parsed = parseSetting('AV_STREAM_KEY', 'top secret');
    expect(JSON.stringify(parsed)).not.toContain('top secret');
  });
});

test('AV_AUDIO_BITRATE below 1000 is kbit/s, as its document always said', () => {
  expect(audioBitsPerSecond(128)).toBe(128_000);
  expect(audioBitsPerSecond(96_000)).toBe(96_000);
});
