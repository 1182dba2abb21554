import { expect, test } from 'vitest';
import { scopeChoices, scopeList } from '#fleet-server/web/account/scope-words.ts';
import { scopes } from '#protocol/model/access-token.ts';

test('each scope is offered once, in the protocol’s order, and can be named', () => {
  expect(scopeChoices.map(({ scope }) => scope)).toEqual(scopes);
  expect(scopeList(['read', 'enrolment'])).toBe('Read, Joining');
});
