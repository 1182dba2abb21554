/** What is wrong with a new password before it is sent. Pure. */

export const shortestPassword = 8;

export type PasswordDraft = { readonly current: string; readonly next: string; readonly again: string };

/** Null: it can be sent. Of what is not typed yet nothing is said. */
export function nextProblem({ current, next }: PasswordDraft): string | null {
  if (next === '') return null;
  if (next.length < shortestPassword) return `At least ${shortestPassword} characters.`;
  return next === current ? 'The same as the current one.' : null;
}

export function againProblem({ next, again }: PasswordDraft): string | null {
  return again === '' || again === next ? null : 'Not the same as above.';
}

export function isComplete(draft: PasswordDraft): boolean {
  return draft.current !== '' && draft.next !== '' && draft.again === draft.next && nextProblem(draft) === null;
}
