/** What of the audit log is looked for: who, what, to whom or what, and when. */
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { peopleQuery } from '../api/queries.ts';
import { AnySelect } from '../layout/any-select.tsx';
import classes from './audit.module.css';
import { type AuditFilter, isEmptyFilter, writeAuditFilter } from './audit-filter.ts';
import { actionChoices } from './audit-words.ts';

const noFilter: AuditFilter = { subject: '', actor: '', action: '', from: '', to: '' };

export function AuditFilterForm({ filter }: { readonly filter: AuditFilter }) {
  const [, goTo] = useLocation();
  const people = useQuery(peopleQuery);
  const [draft, setDraft] = useState(filter);
  const change = (part: Partial<AuditFilter>): void => setDraft({ ...draft, ...part });
  const names = new Set([...(people.data?.people ?? []).map(({ name }) => name), ...(draft.actor === '' ? [] : [draft.actor])]);
  const isBackward = draft.from !== '' && draft.to !== '' && draft.from > draft.to;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isBackward) goTo(writeAuditFilter({ ...draft, subject: draft.subject.trim() }));
  };
  return (
    <form className={classes['filter']} onSubmit={submit} aria-label="Choose what is shown">
      <AnySelect label="Who" any="Anybody" value={draft.actor} data={[...names].toSorted()} onChange={(actor) => change({ actor })} />
      <AnySelect label="Did what" any="Anything" value={draft.action} data={actionChoices} onChange={(action) => change({ action })} />
      <TextInput
        label="To what"
        placeholder="A device, group, person, rule"
        maxLength={100}
        value={draft.subject}
        onChange={(event) => change({ subject: event.currentTarget.value })}
      />
      <TextInput type="date" label="From" value={draft.from} onChange={(event) => change({ from: event.currentTarget.value })} />
      <TextInput
        type="date"
        label="To"
        value={draft.to}
        error={isBackward ? 'Before the first day' : undefined}
        onChange={(event) => change({ to: event.currentTarget.value })}
      />
      <Button type="submit" variant="default">
        Show
      </Button>
      {!isEmptyFilter(filter) && (
        <Button variant="subtle" onClick={() => goTo(writeAuditFilter(noFilter))}>
          Show everything
        </Button>
      )}
    </form>
  );
}
