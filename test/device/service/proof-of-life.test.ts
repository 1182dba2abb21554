import { expect, test } from 'vitest';
import { isProgress, type Pulse } from '#device/service/proof-of-life.ts';

const running: Pulse = { media: 'running', framesTotal: 100, statusesHeard: 10 };

test.each<[string, Pulse | null, Pulse, boolean]>([
  ['the first word', null, running, true],
  ['frames come', running, { ...running, framesTotal: 101 }, true],
  ['it is said to run and no frame comes, whatever else is said', running, { ...running, statusesHeard: 99 }, false],
  ['a new media host counts from nought', running, { ...running, framesTotal: 1 }, true],
  ['a camera is gone, and the media host tells of it', running, { media: 'failed', framesTotal: 100, statusesHeard: 11 }, true],
  ['a camera is gone, and the media host is silent', running, { media: 'failed', framesTotal: 100, statusesHeard: 10 }, false],
  ['no media host: the supervisor sees to it', running, { media: null, framesTotal: 0, statusesHeard: 10 }, true],
])('%s', (_name, before, now, isAlive) => {
  expect(isProgress(before, now)).toBe(isAlive);
});
