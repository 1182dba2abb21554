import { expect, test } from 'vitest';
import { checkLine, exitCodeOf, fail, pass, summaryLine, warn } from '#device/doctor/check.ts';

const checks = [pass('disk', 'writable'), warn('camera', 'none was found', 'Plug one in.'), fail('rtmp', 'no such host', 'Look.')];

test('a line for what was found, and one for what to do', () => {
  expect(checks.map(checkLine).join('\n').split('\n')).toEqual([
    'pass  disk            writable',
    'warn  camera          none was found',
    '                      Plug one in.',
    'fail  rtmp            no such host',
    '                      Look.',
  ]);
  expect(summaryLine(checks)).toBe('1 pass, 1 warn, 1 fail');
});

test('the exit code follows the failures; a warning is none', () => {
  expect(exitCodeOf(checks)).toBe(1);
  expect(exitCodeOf(checks.slice(0, 2))).toBe(0);
  expect(exitCodeOf([])).toBe(0);
});
