import { expect, test } from 'vitest';
import { resolveSettings } from '#device/settings/levels.ts';
import { settingKeys, settingLevels } from '#protocol/settings.ts';

test('with nothing set every key has its default', () => {
  const settings = resolveSettings({});
  expect(Object.keys(settings)).toEqual(settingKeys);
  expect(settings.AV_VIDEO_WIDTH).toEqual({ value: 1280, level: 'default' });
  expect(settings.AV_VIDEO_SOURCE).toEqual({ value: null, level: 'default' });
});

test('each level is stronger than those before it', () => {
  const levels = settingLevels.filter((level) => level !== 'default');
  for (const [index, level] of levels.entries()) {
    const upTo = Object.fromEntries(levels.slice(0, index + 1).map((name, at) => [name, { AV_VIDEO_WIDTH: 200 + at }]));
    expect(resolveSettings(upTo).AV_VIDEO_WIDTH).toEqual({ value: 200 + index, level });
  }
});

test('false, zero and the empty text are values', () => {
  const settings = resolveSettings({
    fleet: { AV_DISABLE_AUDIO: true, AV_PREVIEW_INTERVAL: 5, AV_H264_ENCODER_PARAMS: 'me=hex' },
    device: { AV_DISABLE_AUDIO: false, AV_PREVIEW_INTERVAL: 0, AV_H264_ENCODER_PARAMS: '' },
  });
  expect(settings.AV_DISABLE_AUDIO).toEqual({ value: false, level: 'device' });
  expect(settings.AV_PREVIEW_INTERVAL).toEqual({ value: 0, level: 'device' });
  expect(settings.AV_H264_ENCODER_PARAMS).toEqual({ value: '', level: 'device' });
});

const relay = { AV_STREAM_URL: 'rtmp://relay/live', AV_STREAM_KEY: 'd1?key=secret' };

test('the relay’s address goes with the relay’s key', () => {
  const settings = resolveSettings({ relay });
  expect([settings.AV_STREAM_URL, settings.AV_STREAM_KEY].map((setting) => setting.level)).toEqual(['relay', 'relay']);
});

test.each(['environment', 'fleet', 'group', 'device'] as const)('the relay’s key never goes to an address of level %s', (level) => {
  const settings = resolveSettings({ relay, [level]: { AV_STREAM_URL: 'rtmp://foreign/app' } });
  expect(settings.AV_STREAM_KEY).toEqual({ value: '', level: 'default' });
  expect(JSON.stringify(settings)).not.toContain('secret');
});

test('an address and a key of one’s own', () => {
  const settings = resolveSettings({ relay, device: { AV_STREAM_URL: 'rtmp://foreign/app', AV_STREAM_KEY: 'own' } });
  expect(settings.AV_STREAM_KEY).toEqual({ value: 'own', level: 'device' });
});
