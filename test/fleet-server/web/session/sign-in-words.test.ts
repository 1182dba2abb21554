import { expect, test } from 'vitest';
import { ApiProblem } from '#fleet-server/web/api/api.ts';
import { signInWords } from '#fleet-server/web/session/sign-in-words.ts';

test.for([
  [401, 'This name and password do not match.'],
  [429, 'Too many attempts. Wait a minute, then try again.'],
  [503, 'The store is busy.'],
] as const)('%s', ([status, words]) => {
  expect(signInWords(new ApiProblem(status, { code: 'x', message: 'The store is busy.' }))).toBe(words);
});
