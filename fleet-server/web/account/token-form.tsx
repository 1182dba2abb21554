/** Makes an access token for a program; it is shown this once. */
import { Button, Checkbox, Group, Modal, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { AccessToken, type AccessTokenRequest, type Scope, scopes } from '#protocol/model/access-token.ts';
import { send } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { ShownOnce } from '../clipboard/shown-once.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { usePerson } from '../session/person.tsx';
import { may } from '../session/rights.ts';
import { exactWords } from '../time/words.ts';
import { scopeChoices } from './scope-words.ts';

const validities = [
  { value: '604800', label: '1 week' },
  { value: '2592000', label: '30 days' },
  { value: '7776000', label: '90 days' },
  { value: '31536000', label: '1 year' },
] as const;

const namePattern = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/;

function MadeToken({ token, made, onClose }: { readonly token: string; readonly made: AccessToken; readonly onClose: () => void }) {
  return (
    <Stack>
      <Text size="sm">
        <strong>The token is shown only now.</strong> The program sends it as <code>Authorization: Bearer …</code>. It works until{' '}
        {exactWords(made.expiresAt)}.
      </Text>
      <ShownOnce text={token} label={`Access token ${made.name}`} testId="made-token" />
      <Group justify="flex-end">
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}

function ScopeChoice({ value, onChange }: { readonly value: readonly Scope[]; readonly onChange: (chosen: Scope[]) => void }) {
  const person = usePerson();
  return (
    <Checkbox.Group
      label="It may"
      description="Never more than you may yourself."
      value={[...value]}
      onChange={(chosen) => onChange(scopes.filter((scope) => chosen.includes(scope)))}
    >
      <Stack gap={10} mt={8}>
        {scopeChoices.map(({ scope, title, may: words, role }) => {
          const isMine = person !== null && may(person, role);
          return (
            <Checkbox
              key={scope}
              value={scope}
              label={title}
              description={isMine ? words : `${words} Your role may not do this.`}
              disabled={!isMine}
            />
          );
        })}
      </Stack>
    </Checkbox.Group>
  );
}

function TokenForm({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<Scope[]>(['read']);
  const [expiresInS, setExpiresInS] = useState('2592000');
  const make = useMutation({
    mutationFn: (request: AccessTokenRequest) => send('POST', '/access-tokens', request, AccessToken),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.accessTokens }),
  });
  if (make.data?.token !== undefined) return <MadeToken token={make.data.token} made={make.data} onClose={onClose} />;
  const problem = name === '' || namePattern.test(name) ? null : 'Letters, digits, spaces and . _ - only.';
  const isReady = name !== '' && problem === null && chosen.length > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isReady) make.mutate({ name: name.trim(), scopes: chosen, expiresInS: Number(expiresInS) });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label="Name"
          description="What it is for: you see it in the list and in the audit log."
          placeholder="wall display"
          autoComplete="off"
          maxLength={64}
          value={name}
          error={problem}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        <ScopeChoice value={chosen} onChange={setChosen} />
        <NativeSelect
          label="Valid for"
          data={validities}
          value={expiresInS}
          onChange={(event) => setExpiresInS(event.currentTarget.value)}
        />
        {make.isError && <ProblemAlert title="No token was made" error={make.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending} disabled={!isReady}>
            Make the token
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function TokenDialog({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Make an access token" centered closeOnClickOutside={false}>
      <TokenForm onClose={onClose} />
    </Modal>
  );
}
