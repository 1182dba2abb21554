/** Join tokens that still let somebody in, and how to take them back. */
import { Button, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { pathOf, remove } from '../api/api.ts';
import { joinTokensQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { Ago } from '../time/times.tsx';
import classes from './join.module.css';

export function JoinTokens() {
  const tokens = useQuery(joinTokensQuery);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: (id: string) => remove(pathOf('join-tokens', id)),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.joinTokens }),
  });
  const list = tokens.data?.joinTokens ?? [];
  if (list.length === 0) return null;
  return (
    <section aria-label="Join tokens in use">
      <Text size="sm" fw={600} mb={4}>
        Tokens that still work
      </Text>
      {revoke.isError && <ProblemAlert title="The token was not taken back" error={revoke.error} />}
      <ul className={`plain-list ${classes['tokens']}`}>
        {list.map(({ id, usesLeft, expiresAt, group, tags, approval }) => (
          <li key={id}>
            <span className="figure">
              {`${usesLeft} ${usesLeft === 1 ? 'device' : 'devices'}`}
              {[...(group === null ? [] : [group]), ...tags, ...(approval ? ['each waits to be let in'] : [])].map((word) => ` · ${word}`)}{' '}
              · ends <Ago at={expiresAt} />
            </span>
            <Button
              size="compact-xs"
              style={{ flexShrink: 0 }}
              variant="subtle"
              color="red"
              onClick={() => revoke.mutate(id)}
              loading={revoke.isPending && revoke.variables === id}
            >
              Take back
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
