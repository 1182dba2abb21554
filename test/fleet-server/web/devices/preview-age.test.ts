import { expect, test } from 'vitest';
import { isOldPicture } from '#fleet-server/web/devices/preview-age.ts';

test('a picture is old after 15 s', () => {
  expect(isOldPicture(0, 15_000)).toBe(false);
  expect(isOldPicture(0, 15_001)).toBe(true);
});
