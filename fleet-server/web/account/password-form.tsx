/** Changes one's own password. */
import { Button, Group, PasswordInput, Stack, Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Person } from '#protocol/model/person.ts';
import { send } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { usePerson } from '../session/person.tsx';
import { againProblem, isComplete, nextProblem, type PasswordDraft } from './password-problem.ts';

const empty: PasswordDraft = { current: '', next: '', again: '' };

export function PasswordForm() {
  const client = useQueryClient();
  const person = usePerson();
  const [draft, setDraft] = useState(empty);
  const change = useMutation({
    mutationFn: () => send('POST', '/session/password', { current: draft.current, next: draft.next }, Person),
    onSuccess: (self) => {
      client.setQueryData(queryKeys.session, self);
      setDraft(empty);
    },
  });
  const type = (name: keyof PasswordDraft) => (event: { readonly currentTarget: { readonly value: string } }) => {
    const { value } = event.currentTarget;
    if (!change.isIdle && !change.isPending) change.reset();
    setDraft((before) => ({ ...before, [name]: value }));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isComplete(draft)) change.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack maw={420}>
        {/* For password managers. */}
        <input type="text" name="username" autoComplete="username" value={person?.name ?? ''} readOnly hidden />
        <PasswordInput label="Current password" autoComplete="current-password" value={draft.current} onChange={type('current')} />
        <PasswordInput
          label="New password"
          description="At least 8 characters; a few words are good."
          autoComplete="new-password"
          maxLength={256}
          value={draft.next}
          error={nextProblem(draft)}
          onChange={type('next')}
        />
        <PasswordInput
          label="New password again"
          autoComplete="new-password"
          maxLength={256}
          value={draft.again}
          error={againProblem(draft)}
          onChange={type('again')}
        />
        {change.isError && <ProblemAlert title="Not changed" error={change.error} />}
        <Group role="status" gap="sm">
          <Button type="submit" loading={change.isPending} disabled={!isComplete(draft)}>
            Change password
          </Button>
          {change.isSuccess && (
            <Group gap={6} c="var(--msl-live)">
              <IconCircleCheck size={18} aria-hidden />
              <Text size="sm">Changed. You are signed out everywhere else; your access tokens go on.</Text>
            </Group>
          )}
        </Group>
      </Stack>
    </form>
  );
}
