/** Why a change to a person was refused, in words for the page. Pure. */
import { ApiProblem } from '../api/api.ts';

/** The error itself, or one in the page's words where it can say more. */
export function inPersonWords(error: unknown): unknown {
  if (!(error instanceof ApiProblem)) return error;
  switch (error.code) {
    case 'last-admin':
      return worded(
        error,
        'This is the only admin. Make somebody else an admin first: without one, nobody could look after the people here.',
      );
    case 'already-there':
      return worded(error, 'Somebody has this name already. Choose another one.');
    default:
      return error;
  }
}

function worded(error: ApiProblem, message: string): ApiProblem {
  return new ApiProblem(error.status, { code: error.code, message });
}

const namePattern = /^[a-z0-9][a-z0-9._@-]{0,63}$/;

/** Null: it can be a name. */
export function nameProblem(name: string): string | null {
  return namePattern.test(name) ? null : 'Small letters, digits and . _ @ - only, beginning with a letter or a digit.';
}
