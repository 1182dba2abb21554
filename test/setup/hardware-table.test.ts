import { expect, test } from 'vitest';
import { loadProfiles } from '#device/profile/load.ts';
import { hardwareTable, withHardwareTable } from '#setup/hardware-table.ts';

const profiles = await loadProfiles();

test('every profile is a row, with its status', () => {
  const rows = hardwareTable(profiles).split('\n');
  const all = [...profiles.boards, ...profiles.cameras, ...profiles.encoders];
  expect(rows).toHaveLength(all.length + 2);
  for (const { title, status } of all) expect(rows.some((row) => row.includes(`| ${title} | ${status} |`))).toBe(true);
});

test('a document without its marks is told', () => {
  expect(() => withHardwareTable('# Read me', profiles)).toThrow('expected "<!-- hardware');
});

test('written twice is written once', () => {
  const document = '# Read me\n\n<!-- hardware: written by "npm run documents" -->\nSTALE\n<!-- end of hardware -->\n\nMore.\n';
  const once = withHardwareTable(document, profiles);
  expect(withHardwareTable(once, profiles)).toBe(once);
  expect(once).not.toContain('STALE');
  expect(once.endsWith('<!-- end of hardware -->\n\nMore.\n')).toBe(true);
});
