import { expect, test } from 'vitest';
import { describeUnusableCameras, whyNotOpened } from '#device/detect/unusable-cameras.ts';

test.each([
  ['Failed to open /dev/video0: Permission denied\n', 'this user may not open it: it has to be in the group video'],
  ['Failed to open /dev/video0: Device or resource busy\n', 'another program uses it'],
  ['Failed to open /dev/video0: No such device\n', 'it has gone again'],
  [
    'Cannot open device /dev/video0, exiting.\nmore',
    'v4l2-ctl ended with 1 and told nothing of the driver (Cannot open device /dev/video0, exiting.)',
  ],
  ['', 'v4l2-ctl ended with 1 and told nothing of the driver'],
])('%s', (stderr, words) => {
  expect(whyNotOpened(1, stderr)).toBe(words);
});

test('what is said of cameras, in one line, and nothing of anything else', () => {
  const problem = (subject: string) => ({ subject, problem: `${subject} is bad` });
  expect(describeUnusableCameras([problem('gst-inspect-1.0'), problem('x264enc')])).toBe('');
  expect(describeUnusableCameras([problem('libcamera'), { subject: '/dev/video0', problem: 'Cam: another program uses it' }])).toBe(
    'libcamera is bad; /dev/video0: Cam: another program uses it',
  );
  const many = Array.from({ length: 9 }, (_, index) => problem(`/dev/video${index}`));
  expect(describeUnusableCameras(many)).toMatch(/; and 6 more$/);
});
