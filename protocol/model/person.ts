/** People and their sessions. */
import { type Static, Type } from 'typebox';

export const Role = Type.Enum(['viewer', 'operator', 'admin']);
export type Role = Static<typeof Role>;

/** Each role may do all that the ones before it may. */
export const roles = ['viewer', 'operator', 'admin'] as const satisfies readonly Role[];

export const Credentials = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 64 }),
  password: Type.String({ minLength: 1, maxLength: 256 }),
});
export type Credentials = Static<typeof Credentials>;

export const Person = Type.Object({ name: Type.String(), role: Role });
export type Person = Static<typeof Person>;
