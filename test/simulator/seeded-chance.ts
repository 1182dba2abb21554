/** Ids, keys and jitter of the product's own code from the run's seed: a run that is played again is the same to the last byte. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Random } from './random.ts';

/** The answer puts back what was there. */
export function seedEverything(random: Random): () => void {
  const before = { randomBytes: crypto.randomBytes, randomUUID: crypto.randomUUID, random: Math.random };
  const bytes = (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => random.between(0, 255)));
  const uuid = (): `${string}-${string}-${string}-${string}-${string}` => {
    const hex = bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  };
  Object.assign(crypto, { randomBytes: bytes, randomUUID: uuid });
  Math.random = random.next;
  syncBuiltinESMExports();
  return () => {
    Object.assign(crypto, { randomBytes: before.randomBytes, randomUUID: before.randomUUID });
    Math.random = before.random;
    syncBuiltinESMExports();
  };
}
