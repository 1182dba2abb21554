import { expect, test } from 'vitest';
import { settingGroups, shownKeys } from '#fleet-server/web/settings/setting-groups.ts';
import { settingDefinitions, settingKeys } from '#protocol/settings.ts';

test('every setting that can be set from a fleet server stands in the form once, and no other', () => {
  const shown = settingGroups().flatMap(({ keys }) => keys);
  expect([...shown].sort()).toEqual(settingKeys.filter((key) => settingDefinitions[key].remote).sort());
});

test('of the further targets those that are used stand there, and the next', () => {
  const keys = settingGroups().flatMap((group) => group.keys);
  const numbersShown = (...used: string[]) =>
    shownKeys(keys, (key) => used.includes(key)).flatMap((key) => /^AV_STREAM_URL_(\d)$/.exec(key)?.[1] ?? []);
  expect(numbersShown()).toEqual(['2']);
  expect(numbersShown('AV_STREAM_URL_2')).toEqual(['2', '3']);
  expect(numbersShown('AV_STREAM_KEY_4')).toEqual(['2', '3', '4', '5']);
  expect(numbersShown('AV_STREAM_URL_9')).toEqual(['2', '3', '4', '5', '6', '7', '8', '9']);
  expect(shownKeys(keys, () => false)).toContain('AV_ICECAST_URL');
});
