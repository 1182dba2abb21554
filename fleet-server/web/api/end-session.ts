/** Forgets who was signed in, and everything that only they may see. */
import type { QueryClient } from '@tanstack/react-query';
import { queryKeys } from './query-keys.ts';

export function endSession(client: QueryClient): void {
  client.setQueryData(queryKeys.session, null);
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== queryKeys.session[0] });
}
