/** What each role is for. Pure. */
import { type Role, roles } from '#protocol/model/person.ts';

export const roleWords: { readonly [R in Role]: { readonly title: string; readonly may: string } } = {
  viewer: { title: 'Viewer', may: 'Sees the devices, their pictures and the alerts, and changes nothing.' },
  operator: { title: 'Operator', may: 'Also changes settings, sends commands to devices and acknowledges alerts.' },
  admin: { title: 'Admin', may: 'Also lets devices in and out, and looks after people, alert rules and the audit log.' },
};

export const roleChoices = roles.map((role) => ({ role, ...roleWords[role] }));
