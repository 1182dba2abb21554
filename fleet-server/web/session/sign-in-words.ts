/** Why signing in did not work, and what to do. Pure. */
import { ApiProblem } from '../api/api.ts';

export function signInWords(error: unknown): string {
  if (!(error instanceof ApiProblem)) return 'Something went wrong. Please try again.';
  if (error.status === 401) return 'This name and password do not match.';
  return error.message;
}
