/** What an admin can do with a person: another role, a new password, and removing them. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ChangedPerson, type PersonList, type PersonPatch, type Role } from '#protocol/model/person.ts';
import { pathOf, remove, send } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Confirm } from '../layout/confirm.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { usePerson } from '../session/person.tsx';
import { PasswordOnce } from './add-person.tsx';
import { passwordBytes, passwordOf } from './made-password.ts';
import { inPersonWords } from './person-problem.ts';
import { RoleChoice } from './role-choice.tsx';

export type ListedPerson = PersonList['people'][number];
type DialogProps = { readonly person: ListedPerson; readonly onClose: () => void };

function usePatch(name: string) {
  const client = useQueryClient();
  return async (patch: PersonPatch): Promise<void> => {
    await send('PATCH', pathOf('people', name), patch, ChangedPerson).catch((cause: unknown) => {
      throw inPersonWords(cause);
    });
    await client.invalidateQueries({ queryKey: queryKeys.people });
    // Whose rights changed is signed out, and that may be oneself.
    await client.invalidateQueries({ queryKey: queryKeys.session });
  };
}

export function RoleDialog({ person, onClose }: DialogProps) {
  const patch = usePatch(person.name);
  const isSelf = usePerson()?.name === person.name;
  const [role, setRole] = useState<Role>(person.role);
  const save = useMutation({ mutationFn: () => patch({ role }), onSuccess: onClose });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={`Role of ${person.name}`} centered>
      <form onSubmit={submit}>
        <Stack>
          <RoleChoice value={role} onChange={setRole} />
          <Text size="sm" className="dim">
            {isSelf ? 'This is you: you have to sign in again.' : 'They have to sign in again.'}
          </Text>
          {save.isError && <ProblemAlert title="Not changed" error={save.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={save.isPending} disabled={role === person.role}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

export function NewPasswordDialog({ person, onClose }: DialogProps) {
  const patch = usePatch(person.name);
  const make = useMutation({
    mutationFn: async () => {
      const password = passwordOf(crypto.getRandomValues(new Uint8Array(passwordBytes)));
      await patch({ password });
      return password;
    },
  });
  return (
    <Modal opened onClose={onClose} title={`New password for ${person.name}`} centered closeOnClickOutside={false}>
      {make.data !== undefined ? (
        <PasswordOnce name={person.name} password={make.data} onClose={onClose} />
      ) : (
        <Stack>
          <Text size="sm">
            The password that they have is worth nothing from then on, and they have to sign in again. Their access tokens end, too:
            programs that use one need a new one.
          </Text>
          {make.isError && <ProblemAlert title="Not changed" error={make.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose} data-autofocus>
              Cancel
            </Button>
            <Button loading={make.isPending} onClick={() => make.mutate()}>
              Make a new password
            </Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

export function RemoveDialog({ person, onClose }: DialogProps) {
  const client = useQueryClient();
  const act = async (): Promise<void> => {
    await remove(pathOf('people', person.name)).catch((cause: unknown) => {
      throw inPersonWords(cause);
    });
    await client.invalidateQueries({ queryKey: queryKeys.people });
    await client.invalidateQueries({ queryKey: queryKeys.session });
  };
  return (
    <Confirm
      title={`Remove ${person.name}?`}
      words="They are signed out, and their access tokens end. What they did stays in the audit log."
      action="Remove"
      problemTitle="Not removed"
      act={act}
      onClose={onClose}
    />
  );
}
