import { expect, test } from 'vitest';
import { reportedValue } from '#device/health/reported-value.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import type { SettingKey, SettingValues } from '#protocol/settings.ts';

const rows: readonly [SettingKey, SettingValues, SettingValues[SettingKey]][] = [
  ['AV_VIDEO_SOURCE', { AV_VIDEO_SOURCE: 'rtspsrc location=rtsp://user:hush@camera ! rtph264depay' }, 'rtspsrc …'],
  ['AV_VIDEO_SOURCE', { AV_VIDEO_SOURCE: 'rtspsrc user-pw=hush' }, 'rtspsrc …'],
  ['AV_VIDEO_SOURCE', { AV_VIDEO_SOURCE: '/dev/video0' }, '/dev/video0'],
  ['AV_AUDIO_SRC', { AV_AUDIO_SRC: 'souphttpsrc!location=http://user:hush@radio' }, 'souphttpsrc …'],
  ['AV_STREAM_URL', { AV_STREAM_URL: 'rtmp://user:hush@host/live', AV_STREAM_KEY: 'hush' }, 'rtmp://host/live'],
  ['AV_STREAM_URL', { AV_STREAM_URL: 'rtmp://host/live/hush', AV_STREAM_KEY: '' }, 'rtmp://host/live/…'],
  ['AV_STREAM_URL_2', { AV_STREAM_URL_2: 'rtmps://host/live/room?token=hush', AV_STREAM_KEY_2: 'hush' }, 'rtmps://host/live/room'],
  ['AV_STREAM_URL_2', { AV_STREAM_URL_2: '' }, ''],
  ['AV_STREAM_KEY', { AV_STREAM_KEY: 'hush' }, true],
  ['AV_ROOM_NAME', { AV_ROOM_NAME: 'Hall 2 ! left' }, 'Hall 2 ! left'],
  ['AV_VIDEO_WIDTH', { AV_VIDEO_WIDTH: 640 }, 640],
];

test.each(rows)('%s from the environment: %o', (key, environment, told) => {
  expect(reportedValue(key, resolveSettings({ environment }))).toEqual(told);
});

test('what the fleet has set it may read', () => {
  const device = { AV_STREAM_URL: 'rtmp://host/live/room' };
  expect(reportedValue('AV_STREAM_URL', resolveSettings({ device }))).toBe(device.AV_STREAM_URL);
});
