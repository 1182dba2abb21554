/** What a person may do. The server decides; the page only leaves out what it would refuse. Pure. */
import { type Person, type Role } from '#protocol/model/person.ts';
export declare function may(person: Person, role: Role): boolean;
