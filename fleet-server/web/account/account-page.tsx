/** One's own password and access tokens. */
import { Button, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { Panel } from '../device/panel.tsx';
import { PageHeading } from '../layout/page-heading.tsx';
import { useTitle } from '../layout/use-title.ts';
import { roleWords } from '../people/role-words.ts';
import { useMay, usePerson } from '../session/person.tsx';
import { AccessTokens } from './access-tokens.tsx';
import classes from './account.module.css';
import { PasswordForm } from './password-form.tsx';
import { TokenDialog } from './token-form.tsx';

export function AccountPage() {
  const person = usePerson();
  const isAdmin = useMay('admin');
  const [isMaking, making] = useDisclosure(false);
  useTitle('Your account');
  if (person === null) return null;
  return (
    <>
      <PageHeading title="Your account" words={`You are signed in as ${person.name}. Your role: ${roleWords[person.role].title}.`} />
      <div className={classes['columns']}>
        <Panel title="Password">
          <PasswordForm />
        </Panel>
        <Panel
          title="Access tokens"
          aside={
            <Button size="compact-md" variant="light" leftSection={<IconPlus size={16} aria-hidden />} onClick={making.open}>
              Make a token
            </Button>
          }
        >
          <Text size="sm" className="dim" mb={4}>
            With a token a program uses the API in your name.{isAdmin ? ' As an admin you see everybody’s.' : ''}
          </Text>
          <AccessTokens />
        </Panel>
      </div>
      <TokenDialog isOpen={isMaking} onClose={making.close} />
    </>
  );
}
