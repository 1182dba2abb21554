/** What the scopes of an access token mean. Pure. */
import { type Scope, scopes } from '#protocol/model/access-token.ts';
import type { Role } from '#protocol/model/person.ts';

const words: { readonly [S in Scope]: { readonly title: string; readonly may: string; readonly role: Role } } = {
  read: { title: 'Read', may: 'See what a viewer sees.', role: 'viewer' },
  devices: { title: 'Devices', may: 'Name, group and remove devices, acknowledge alerts.', role: 'operator' },
  settings: { title: 'Settings', may: 'Change settings of devices, groups and the fleet.', role: 'operator' },
  commands: { title: 'Commands', may: 'Ask devices to do something.', role: 'operator' },
  enrolment: { title: 'Joining', may: 'Let new devices in.', role: 'admin' },
};

export const scopeChoices = scopes.map((scope) => ({ scope, ...words[scope] }));

/** "Read, Settings" */
export function scopeList(chosen: readonly Scope[]): string {
  return chosen.map((scope) => words[scope].title).join(', ');
}
