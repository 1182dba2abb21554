/** Access tokens that still work: one's own, and for an admin everybody's. */
import { Button, Skeleton } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { AccessToken } from '#protocol/model/access-token.ts';
import { pathOf, remove } from '../api/api.ts';
import { accessTokensQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Confirm } from '../layout/confirm.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import rows from '../layout/rows.module.css';
import { usePerson } from '../session/person.tsx';
import { Ago } from '../time/times.tsx';
import { scopeList } from './scope-words.ts';

function TokenRow({ token, onRevoke }: { readonly token: AccessToken; readonly onRevoke: () => void }) {
  const isOwn = usePerson()?.name === token.personName;
  return (
    <li className={rows['row']} data-testid="token-row">
      <div className={rows['main']}>
        <h3 className={rows['title']}>
          {token.name}
          {!isOwn && <span className="dim">of {token.personName}</span>}
        </h3>
        <p className={rows['words']}>
          {scopeList(token.scopes)} · ends <Ago at={token.expiresAt} /> ·{' '}
          {token.lastUsedAt === null ? (
            'never used'
          ) : (
            <>
              used <Ago at={token.lastUsedAt} />
            </>
          )}
        </p>
      </div>
      <Button size="compact-sm" variant="subtle" color="red" onClick={onRevoke} aria-label={`Revoke ${token.name}`}>
        Revoke
      </Button>
    </li>
  );
}

export function AccessTokens() {
  const client = useQueryClient();
  const tokens = useQuery(accessTokensQuery);
  const [revoked, setRevoked] = useState<AccessToken | null>(null);
  const act = async (): Promise<void> => {
    if (revoked !== null) await remove(pathOf('access-tokens', revoked.id));
    await client.invalidateQueries({ queryKey: queryKeys.accessTokens });
  };
  if (tokens.data === undefined) {
    if (tokens.isPending) return <Skeleton h={90} aria-label="Loading" />;
    return <ProblemAlert title="The tokens cannot be read" error={tokens.error} onRetry={() => void tokens.refetch()} />;
  }
  const list = tokens.data.accessTokens;
  return (
    <>
      {list.length === 0 && <p className={rows['none']}>There is no token.</p>}
      <ul className="plain-list" aria-label="Access tokens">
        {list.map((token) => (
          <TokenRow key={token.id} token={token} onRevoke={() => setRevoked(token)} />
        ))}
      </ul>
      {revoked !== null && (
        <Confirm
          title={`Revoke ${revoked.name}?`}
          words="Programs that use it are refused from then on. This cannot be undone."
          action="Revoke"
          problemTitle="Not revoked"
          act={act}
          onClose={() => setRevoked(null)}
        />
      )}
    </>
  );
}
