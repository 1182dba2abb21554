import { expect, test } from 'vitest';
import { passwordBytes, passwordOf } from '#fleet-server/web/people/made-password.ts';

test('every byte gives a character, each of 32 equally often', () => {
  const all = passwordOf(Uint8Array.from({ length: 256 }, (_, index) => index));
  const counts = new Map<string, number>();
  for (const character of all) counts.set(character, (counts.get(character) ?? 0) + 1);
  expect(counts.size).toBe(32);
  expect(new Set(counts.values())).toEqual(new Set([8]));
  expect(passwordOf(new Uint8Array(passwordBytes))).toHaveLength(20);
});
