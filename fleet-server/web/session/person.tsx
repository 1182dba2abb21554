/** Who is signed in, for everything below. */
import { createContext, useContext } from 'react';
import type { Person, Role } from '#protocol/model/person.ts';
import { may } from './rights.ts';

/** Nobody may do anything. */
const PersonContext = createContext<Person | null>(null);
export const PersonProvider = PersonContext.Provider;

export function usePerson(): Person | null {
  return useContext(PersonContext);
}

export function useMay(role: Role): boolean {
  const person = usePerson();
  return person !== null && may(person, role);
}
