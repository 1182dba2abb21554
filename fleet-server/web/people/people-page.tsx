/** Everybody who may sign in, for admins. */
import { ActionIcon, Badge, Button, Menu, Skeleton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconDots, IconKey, IconPlus, IconTrash, IconUserCog } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { peopleQuery } from '../api/queries.ts';
import { PageHeading } from '../layout/page-heading.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import rows from '../layout/rows.module.css';
import { useTitle } from '../layout/use-title.ts';
import { usePerson } from '../session/person.tsx';
import { Ago } from '../time/times.tsx';
import { dayWords } from '../time/words.ts';
import { AddPerson } from './add-person.tsx';
import { type ListedPerson, NewPasswordDialog, RemoveDialog, RoleDialog } from './person-dialogs.tsx';
import { roleWords } from './role-words.ts';

const dialogs = { role: RoleDialog, password: NewPasswordDialog, remove: RemoveDialog } as const;
type OpenDialog = { readonly kind: keyof typeof dialogs; readonly person: ListedPerson };

function LastSignIn({ at }: { readonly at: string }) {
  return (
    <>
      last sign-in <Ago at={at} />
    </>
  );
}

function PersonRow({ person, onOpen }: { readonly person: ListedPerson; readonly onOpen: (kind: OpenDialog['kind']) => void }) {
  const isSelf = usePerson()?.name === person.name;
  return (
    <li className={rows['row']} data-testid="person-row" data-person={person.name}>
      <div className={rows['main']}>
        <h2 className={rows['title']}>
          {person.name}
          <Badge variant="light" color={person.role === 'admin' ? 'indigo' : 'gray'} tt="none">
            {roleWords[person.role].title}
          </Badge>
          {isSelf && <span className="dim">you</span>}
        </h2>
        <p className={rows['words']}>
          Since {dayWords(person.createdAt)} ·{' '}
          {person.lastSignedInAt === null ? 'no sign-in on record' : <LastSignIn at={person.lastSignedInAt} />}
        </p>
      </div>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Change or remove ${person.name}`}>
            <IconDots size={19} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconUserCog size={16} aria-hidden />} onClick={() => onOpen('role')}>
            Role
          </Menu.Item>
          {!isSelf && (
            <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={() => onOpen('password')}>
              New password
            </Menu.Item>
          )}
          <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => onOpen('remove')}>
            Remove
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </li>
  );
}

export function PeoplePage() {
  const people = useQuery(peopleQuery);
  const [isAdding, adding] = useDisclosure(false);
  const [open, setOpen] = useState<OpenDialog | null>(null);
  const Dialog = open === null ? null : dialogs[open.kind];
  useTitle('People');
  return (
    <>
      <PageHeading title="People" words="Everybody who may sign in, and what they may do.">
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={adding.open}>
          Add a person
        </Button>
      </PageHeading>
      {people.data === undefined && people.isPending && <Skeleton h={220} radius="lg" aria-label="Loading" />}
      {people.data === undefined && people.isError && (
        <ProblemAlert title="The people cannot be read" error={people.error} onRetry={() => void people.refetch()} />
      )}
      {people.data !== undefined && (
        <ul className={`panel plain-list ${rows['rows']}`} aria-label="People">
          {people.data.people.map((person) => (
            <PersonRow key={person.name} person={person} onOpen={(kind) => setOpen({ kind, person })} />
          ))}
        </ul>
      )}
      <AddPerson isOpen={isAdding} onClose={adding.close} />
      {open !== null && Dialog !== null && <Dialog person={open.person} onClose={() => setOpen(null)} />}
    </>
  );
}
