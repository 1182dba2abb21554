import { rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownTimeZone } from '#device/schedule/own-time-zone.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

async function linkTo(target: string): Promise<string> {
  const link = join(await temporaryDirectory(), 'localtime');
  await symlink(target, link);
  return link;
}

test.each([
  ['as Debian links it', '/usr/share/zoneinfo/Europe/Berlin', 'Europe/Berlin'],
  ['as timedatectl links it', '../usr/share/zoneinfo/America/Argentina/Ushuaia', 'America/Argentina/Ushuaia'],
  ['with leap seconds', '/usr/share/zoneinfo/right/Asia/Tokyo', 'Asia/Tokyo'],
  ['to no zone that Node knows', '/usr/share/zoneinfo/Atlantis', null],
  ['to a file elsewhere', '/etc/my-zone', null],
])('the link names the zone: %s', async (_name, target, zone) => {
  expect(ownTimeZone(await linkTo(target), {})).toBe(zone);
});

test('whoever sets the zone has it at the next look', async () => {
  const link = await linkTo('/usr/share/zoneinfo/Europe/Berlin');
  expect(ownTimeZone(link, {})).toBe('Europe/Berlin');
  await rename(await linkTo('/usr/share/zoneinfo/Asia/Tokyo'), link);
  expect(ownTimeZone(link, {})).toBe('Asia/Tokyo');
});

test('TZ is stronger; a container without a link has what Node says', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'localtime'), 'TZif');
  expect(ownTimeZone(await linkTo('/usr/share/zoneinfo/Europe/Berlin'), { TZ: 'UTC' })).toBeNull();
  expect(ownTimeZone(join(directory, 'localtime'), {})).toBeNull();
  expect(ownTimeZone(join(directory, 'none'), {})).toBeNull();
});
