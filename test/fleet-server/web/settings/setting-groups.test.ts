import { expect, test } from 'vitest';
import { settingGroups } from '#fleet-server/web/settings/setting-groups.ts';
import { settingDefinitions, settingKeys } from '#protocol/settings.ts';

test('every setting that can be set from a fleet server stands in the form once, and no other', () => {
  const shown = settingGroups().flatMap(({ keys }) => keys);
  expect([...shown].sort()).toEqual(settingKeys.filter((key) => settingDefinitions[key].remote).sort());
});
