/** One store of answers for the whole page. A 401 anywhere means that the session is over: the sign-in page follows. */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiProblem, isPassing } from './api.ts';
import { endSession } from './end-session.ts';

const retries = 2;

export function createQueryClient(): QueryClient {
  const onError = (error: unknown): void => {
    if (error instanceof ApiProblem && error.code === 'not-signed-in') endSession(client);
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => isPassing(error) && failures < retries,
        staleTime: 5000,
        // A laptop that wakes up: what it shows is from before.
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });
  return client;
}
