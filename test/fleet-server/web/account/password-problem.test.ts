import { expect, test } from 'vitest';
import { againProblem, isComplete, nextProblem } from '#fleet-server/web/account/password-problem.ts';

test.for([
  [{ current: '', next: '', again: '' }, null, null, false],
  [{ current: 'old password', next: 'short', again: '' }, 'At least 8 characters.', null, false],
  [{ current: 'old password', next: 'old password', again: 'old password' }, 'The same as the current one.', null, false],
  [{ current: 'old password', next: 'new password', again: 'new passwort' }, null, 'Not the same as above.', false],
  [{ current: 'old password', next: 'new password', again: '' }, null, null, false],
  [{ current: 'old password', next: 'new password', again: 'new password' }, null, null, true],
] as const)('%o', ([draft, next, again, complete]) => {
  expect(nextProblem(draft)).toBe(next);
  expect(againProblem(draft)).toBe(again);
  expect(isComplete(draft)).toBe(complete);
});
