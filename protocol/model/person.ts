/** People and their sessions. */
import { type Static, Type } from 'typebox';
import { Timestamp } from '#protocol/identifiers.ts';

export const Role = Type.Enum(['viewer', 'operator', 'admin']);
export type Role = Static<typeof Role>;

/** Each role may do all that the ones before it may. */
export const roles = ['viewer', 'operator', 'admin'] as const satisfies readonly Role[];

export const PersonName = Type.String({ pattern: '^[a-z0-9][a-z0-9._@-]{0,63}$' });
export const Password = Type.String({ minLength: 8, maxLength: 256 });

export const Credentials = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 64 }),
  password: Type.String({ minLength: 1, maxLength: 256 }),
});
export type Credentials = Static<typeof Credentials>;

export const Person = Type.Object({ name: Type.String(), role: Role });
export type Person = Static<typeof Person>;

const ListedPerson = Type.Object({
  name: Type.String(),
  role: Role,
  createdAt: Timestamp,
  lastSignedInAt: Type.Union([Timestamp, Type.Null()], { description: 'By the audit log; null when it knows of none' }),
});
export const PersonList = Type.Object({ people: Type.Array(ListedPerson) });
export type PersonList = Static<typeof PersonList>;

export const NewPerson = Type.Object({
  name: PersonName,
  role: Role,
  password: Type.Optional(Password),
});
export type NewPerson = Static<typeof NewPerson>;

export const MadePerson = Type.Object({
  name: Type.String(),
  role: Role,
  /** Only when it was made here; it is shown this once. */
  password: Type.Optional(Type.String()),
});
export type MadePerson = Static<typeof MadePerson>;

export const PersonPatch = Type.Object({ role: Type.Optional(Role), password: Type.Optional(Password) });
export type PersonPatch = Static<typeof PersonPatch>;

export const ChangedPerson = Type.Object({
  ...Person.properties,
  endedAccessTokens: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'How many access tokens of the person have ended: all, where they were given another password',
    }),
  ),
});
export type ChangedPerson = Static<typeof ChangedPerson>;

export const PasswordChange = Type.Object({ current: Type.String({ minLength: 1, maxLength: 256 }), next: Password });
export type PasswordChange = Static<typeof PasswordChange>;
