import { expect, test } from 'vitest';
import { ApiProblem } from '#fleet-server/web/api/api.ts';
import { inPersonWords, nameProblem } from '#fleet-server/web/people/person-problem.ts';

test('the refusals that an admin meets are told in words, and stay what they are', () => {
  const lastAdmin = new ApiProblem(409, { code: 'last-admin', message: 'Expected another admin to remain, got none.' });
  const told = inPersonWords(lastAdmin);
  expect(told).toBeInstanceOf(ApiProblem);
  expect(told).toMatchObject({ code: 'last-admin', message: expect.stringMatching(/^This is the only admin\. Make somebody else/) });
  const taken = inPersonWords(new ApiProblem(409, { code: 'already-there', message: '' }));
  expect(taken).toMatchObject({ message: 'Somebody has this name already. Choose another one.' });
});

test('every other error is left alone', () => {
  const other = new ApiProblem(401, { code: 'not-signed-in', message: 'Sign in first.' });
  expect(inPersonWords(other)).toBe(other);
  expect(inPersonWords('broken')).toBe('broken');
});

test.for([
  ['ada', true],
  ['ada.l@example.org', true],
  ['', false],
  ['Ada', false],
  ['-ada', false],
  ['ada lovelace', false],
  ['a'.repeat(65), false],
] as const)('the name %o', ([name, isGood]) => {
  expect(nameProblem(name) === null).toBe(isGood);
});
