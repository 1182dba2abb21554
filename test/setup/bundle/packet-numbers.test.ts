import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { withoutPool } from '#setup/bundle/packet-numbers.ts';

type Numbers = { genBufVariableByteInt(value: number): Buffer };
const require = createRequire(import.meta.url);
const source = readFileSync(require.resolve('mqtt-packet/numbers.js'), 'utf8');

function load(code: string): Numbers {
  const module = { exports: {} as Numbers };
  runInNewContext(code, { module, require });
  return module.exports;
}

test('what is kept of a length holds on to its own bytes alone, and says the same', () => {
  const [before, after] = [load(source), load(withoutPool(source))];
  for (const value of [0, 1, 127, 128, 300, 16_383, 16_384, 2_097_151, 268_435_455]) {
    const bytes = after.genBufVariableByteInt(value);
    expect([...bytes]).toEqual([...before.genBufVariableByteInt(value)]);
    expect(bytes.buffer.byteLength).toBe(4);
  }
  // Else none of this would be needed.
  expect(before.genBufVariableByteInt(300).buffer.byteLength).toBeGreaterThan(1000);
});

test('a library that does it otherwise stops the build', () => {
  expect(() => withoutPool(source.replace('allocUnsafe(maxLength)', 'from([])'))).toThrow(/look at this file/);
});
