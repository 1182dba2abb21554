/** The README's table of hardware, drawn from the profiles. Pure. */
import type { HardwareProfiles, ProfileStatus } from '#hardware-profiles/schema.ts';

type Row = { readonly title: string; readonly status: ProfileStatus; readonly notes: string };

const begin = '<!-- hardware: written by "npm run documents" -->';
const end = '<!-- end of hardware -->';

export function hardwareTable({ boards, cameras, encoders }: HardwareProfiles): string {
  const kinds: readonly (readonly [string, readonly Row[]])[] = [
    ['board', boards],
    ['camera', cameras],
    ['encoder', encoders],
  ];
  const rows = kinds.flatMap(([kind, profiles]) =>
    profiles
      .toSorted((left, right) => left.title.localeCompare(right.title, 'en', { numeric: true }))
      .map(({ title, status, notes }) => `| ${kind} | ${cell(title)} | ${status} | ${cell(notes)} |`),
  );
  return ['| | hardware | status | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** The document with the table between its two marks, which must be there. */
export function withHardwareTable(document: string, profiles: HardwareProfiles): string {
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from === -1 || to < from) throw new Error(`expected "${begin}" and then "${end}" in README.md, came a document without them`);
  return `${document.slice(0, from + begin.length)}\n\n${hardwareTable(profiles)}\n\n${document.slice(to)}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
