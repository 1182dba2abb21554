/** The door. */
import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Person } from '#protocol/model/person.ts';
import { send } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Brand } from '../layout/brand.tsx';
import { SchemeSwitch } from '../layout/scheme-switch.tsx';
import classes from './session.module.css';
import { signInWords } from './sign-in-words.ts';

export function SignInPage() {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useMutation({
    mutationFn: () => send('POST', '/session', { name, password }, Person),
    onSuccess: (person) => client.setQueryData(queryKeys.session, person),
    onError: () => setPassword(''),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name !== '' && password !== '') signIn.mutate();
  };
  return (
    <main className={classes['page']}>
      <div className={classes['corner']}>
        <SchemeSwitch />
      </div>
      <form className={`panel ${classes['card']}`} onSubmit={submit}>
        <Stack gap="md">
          <Brand />
          <div>
            <Title order={1} size="h3">
              Sign in
            </Title>
            <Text size="sm" className="dim">
              Watch your devices, change them and mend them.
            </Text>
          </div>
          <TextInput
            label="Name"
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            size="md"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            autoFocus
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            size="md"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <div aria-live="assertive" className={classes['problem']}>
            {signIn.isError && (
              <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} aria-hidden />} p="xs">
                {signInWords(signIn.error)}
              </Alert>
            )}
          </div>
          <Button type="submit" size="md" fullWidth loading={signIn.isPending} disabled={name === '' || password === ''}>
            Sign in
          </Button>
          <Text size="xs" className="dim">
            Password lost? An admin gives you a new one. An admin’s own is made anew on the server’s machine:{' '}
            <code>npm run admin-password</code>
          </Text>
        </Stack>
      </form>
    </main>
  );
}
