import { expect, test } from 'vitest';
import { parseLifeTime, readCardWear } from '#device/health/card-wear.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test.each([
  ['0x01 0x01', 10],
  ['0x02 0x05\n', 50],
  ['0x0b 0x01', 100],
  ['0x00 0x00', undefined],
  ['', undefined],
  ['unknown', undefined],
])('%s', (text, percent) => {
  expect(parseLifeTime(text)).toBe(percent);
});

test('a machine without such a card', async () => {
  expect(await readCardWear(await temporaryDirectory())).toBeUndefined();
});
