/** Adds a person; the fleet server makes the password, which is shown this once. */
import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { MadePerson, type Role } from '#protocol/model/person.ts';
import { send } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { ShownOnce } from '../clipboard/shown-once.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { inPersonWords, nameProblem } from './person-problem.ts';
import { RoleChoice } from './role-choice.tsx';

/** A password that only this window shows, and what to do with it. */
export function PasswordOnce({
  name,
  password,
  onClose,
}: {
  readonly name: string;
  readonly password: string;
  readonly onClose: () => void;
}) {
  return (
    <Stack>
      <Text size="sm">
        The password of <strong>{name}</strong> is shown only now. Give it to them in a safe way; they can change it in their account.
      </Text>
      <ShownOnce text={password} label={`Password of ${name}`} testId="made-password" />
      <Alert color="yellow" variant="light" p="xs" icon={<IconInfoCircle size={18} aria-hidden />}>
        Nobody can read it again. If it is lost, an admin makes a new one.
      </Alert>
      <Group justify="flex-end">
        <Button onClick={onClose} data-autofocus>
          Done
        </Button>
      </Group>
    </Stack>
  );
}

function AddForm({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const add = useMutation({
    mutationFn: () => send('POST', '/people', { name, role }, MadePerson),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.people }),
  });
  if (add.data?.password !== undefined) return <PasswordOnce name={add.data.name} password={add.data.password} onClose={onClose} />;
  const problem = name === '' ? null : nameProblem(name);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name !== '' && problem === null) add.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label="Name"
          description="With it they sign in. It stays as it is."
          placeholder="ada"
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          maxLength={64}
          value={name}
          error={problem}
          onChange={(event) => setName(event.currentTarget.value.trim().toLowerCase())}
          data-autofocus
        />
        <RoleChoice value={role} onChange={setRole} />
        {add.isError && <ProblemAlert title="Not added" error={inPersonWords(add.error)} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending} disabled={name === '' || problem !== null}>
            Add
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function AddPerson({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Add a person" centered closeOnClickOutside={false}>
      <AddForm onClose={onClose} />
    </Modal>
  );
}
