/** The home of the user that this runs as. A container may run as a number that no list of users knows. */
import { homedir } from 'node:os';

export function findHomeDirectory(): string | null {
  try {
    return homedir();
  } catch {
    return null;
  }
}
