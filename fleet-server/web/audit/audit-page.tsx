/** Who changed what, from what to what; newest first. For admins. */
import { Button, Skeleton } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useSearchParams } from 'wouter';
import { alertChannelsQuery, auditLogQuery } from '../api/queries.ts';
import { PageHeading } from '../layout/page-heading.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import classes from './audit.module.css';
import { AuditItem } from './audit-entry.tsx';
import { isEmptyFilter, readAuditFilter, writeAuditFilter } from './audit-filter.ts';
import { AuditFilterForm } from './audit-filter-form.tsx';
import type { Names } from './audit-words.ts';

/** Of what is known by an id and is no device. */
function useNames(): Names {
  const channels = useQuery(alertChannelsQuery);
  return useMemo(() => new Map((channels.data?.channels ?? []).map(({ id, name }) => [id, name])), [channels.data]);
}

export function AuditPage() {
  const [search] = useSearchParams();
  const filter = readAuditFilter(search);
  const log = useInfiniteQuery(auditLogQuery(filter));
  const names = useNames();
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
  useTitle('Audit log');
  return (
    <>
      <PageHeading title="Audit log" words="Who changed what, from what to what. Nobody can change an entry; secrets are never in it.">
        <Button
          variant="default"
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={log.isRefetching && !log.isFetchingNextPage}
          onClick={() => void log.refetch()}
        >
          Look again
        </Button>
      </PageHeading>
      <AuditFilterForm key={writeAuditFilter(filter)} filter={filter} />
      {log.data === undefined && log.isPending && <Skeleton h={420} radius="lg" aria-label="Loading" />}
      {log.data === undefined && log.isError && (
        <ProblemAlert title="The audit log cannot be read" error={log.error} onRetry={() => void log.refetch()} />
      )}
      {log.data !== undefined && entries.length === 0 && (
        <p className="panel">{isEmptyFilter(filter) ? 'Nothing has been changed yet.' : 'Nothing of the kind is in the log.'}</p>
      )}
      {entries.length > 0 && (
        <ol className={`panel plain-list ${classes['entries']}`} aria-label="Entries, newest first">
          {entries.map((entry) => (
            <AuditItem key={entry.id} entry={entry} names={names} />
          ))}
        </ol>
      )}
      {log.isFetchNextPageError && <ProblemAlert title="The older ones cannot be read" error={log.error} />}
      {log.hasNextPage && (
        <Button variant="light" mt="md" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          Show older ones
        </Button>
      )}
    </>
  );
}
