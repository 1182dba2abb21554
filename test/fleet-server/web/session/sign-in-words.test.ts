import { expect, test } from 'vitest';
import { ApiProblem } from '#fleet-server/web/api/api.ts';
import { signInWords } from '#fleet-server/web/session/sign-in-words.ts';

test.for([
  [401, 'This name and password do not match.'],
  [429, 'What the server says.'],
  [503, 'What the server says.'],
] as const)('%s', ([status, words]) => {
  expect(signInWords(new ApiProblem(status, { code: 'x', message: 'What the server says.' }))).toBe(words);
});
