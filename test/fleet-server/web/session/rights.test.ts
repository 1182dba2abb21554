import { expect, test } from 'vitest';
import { may } from '#fleet-server/web/session/rights.ts';

test('each role may do what the ones before it may', () => {
  const operator = { name: 'o', role: 'operator' } as const;
  expect([may(operator, 'viewer'), may(operator, 'operator'), may(operator, 'admin')]).toEqual([true, true, false]);
});
