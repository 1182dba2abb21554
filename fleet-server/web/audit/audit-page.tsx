/** Who changed what, from what to what; newest first. For admins. */
import { Button, Skeleton, TextInput } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { alertChannelsQuery, auditLogQuery, devicesQuery } from '../api/queries.ts';
import { PageHeading } from '../layout/page-heading.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import classes from './audit.module.css';
import { AuditItem, subjectAddress } from './audit-entry.tsx';
import type { Names } from './audit-words.ts';

/** Of what is known by an id. */
function useNames(): Names {
  const devices = useQuery(devicesQuery);
  const channels = useQuery(alertChannelsQuery);
  return useMemo(
    () => new Map([...(devices.data ?? []), ...(channels.data?.channels ?? [])].map(({ id, name }) => [id, name])),
    [devices.data, channels.data],
  );
}

/** People type a device's name; the log knows its id. */
function idOf(typed: string, names: Names): string {
  const text = typed.trim();
  return [...names].find(([, name]) => name.toLowerCase() === text.toLowerCase())?.[0] ?? text;
}

function Filter({ subject, names }: { readonly subject: string; readonly names: Names }) {
  const [, goTo] = useLocation();
  const [text, setText] = useState(names.get(subject) ?? subject);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const id = idOf(text, names);
    goTo(id === '' ? '/audit-log' : subjectAddress(id));
  };
  return (
    <form className={classes['filter']} onSubmit={submit} aria-label="Choose what is shown">
      <TextInput
        label="Only what was done to"
        placeholder="A device, a group, a person, a rule"
        maxLength={100}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button type="submit" variant="default">
        Show
      </Button>
      {subject !== '' && (
        <Button variant="subtle" onClick={() => goTo('/audit-log')}>
          Show everything
        </Button>
      )}
    </form>
  );
}

export function AuditPage() {
  const [search] = useSearchParams();
  const subject = (search.get('subject') ?? '').slice(0, 100);
  const log = useInfiniteQuery(auditLogQuery(subject));
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
      <Filter key={`${subject} ${names.get(subject)}`} subject={subject} names={names} />
      {log.data === undefined && log.isPending && <Skeleton h={420} radius="lg" aria-label="Loading" />}
      {log.data === undefined && log.isError && (
        <ProblemAlert title="The audit log cannot be read" error={log.error} onRetry={() => void log.refetch()} />
      )}
      {log.data !== undefined && entries.length === 0 && (
        <p className="panel">
          {subject === '' ? 'Nothing has been changed yet.' : `Nothing was done to ${names.get(subject) ?? subject}.`}
        </p>
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
