/** What a person may do. The server decides; the page only leaves out what it would refuse. Pure. */
import { type Person, type Role, roles } from '#protocol/model/person.ts';

export function may(person: Person, role: Role): boolean {
  return roles.indexOf(person.role) >= roles.indexOf(role);
}
