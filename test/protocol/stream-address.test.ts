import { expect, test } from 'vitest';
import { remoteProblem, shownSetting } from '#protocol/stream-address.ts';

test.for([
  ['rtmp://host/live', 'rtmp://host/live'],
  ['rtmps://host:443/rtmp/', 'rtmps://host:443/rtmp/'],
  ['rtmp://[::1]:1935/live', 'rtmp://[::1]:1935/live'],
  ['rtmp://user:hush@host/live', 'rtmp://host/live'],
  ['rtmp://host/live?key=hush', 'rtmp://host/live'],
  ['rtmp://host?key=hush/live', 'rtmp://host'],
  ['rtmp://host/live#hush', 'rtmp://host/live'],
  ['rtmp://us/er:hush@host/live', 'rtmp://…'],
  ['hush', 'rtmp://…'],
  ['', ''],
] as const)('of the address %s is shown %s', ([address, shown]) => {
  expect(shownSetting('AV_STREAM_URL_2', address)).toBe(shown);
  expect(remoteProblem('AV_STREAM_URL_2', address) === null).toBe(!/[@?#]/.test(address));
});

test('other settings are shown as they are, and what is refused is not told', () => {
  expect(shownSetting('AV_VIDEO_SOURCE', 'file:/a?b@c')).toBe('file:/a?b@c');
  expect(shownSetting('AV_VIDEO_WIDTH', 640)).toBe(640);
  expect(remoteProblem('AV_VIDEO_SOURCE', 'file:/a?b@c')).toBeNull();
  expect(JSON.stringify(remoteProblem('AV_STREAM_URL', 'rtmp://user:hush@host/live?hush'))).not.toContain('hush');
});
