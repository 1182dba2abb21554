/** The first thing a new fleet shows: how to get a device. */
import { Text, Title } from '@mantine/core';
import { IconAntennaBars5 } from '@tabler/icons-react';
import { useMay } from '../session/person.tsx';
import classes from './join.module.css';
import { JoinForm } from './join-form.tsx';
import { JoinTokens } from './join-tokens.tsx';

export function EmptyFleet() {
  const isAdmin = useMay('admin');
  return (
    <section className={`panel ${classes['empty']}`}>
      <IconAntennaBars5 size={44} stroke={1.4} aria-hidden className={classes['sign']} />
      <div>
        <Title order={2} size="h3">
          No device has joined yet
        </Title>
        <Text className="dim">
          A device is a Raspberry Pi or any Linux machine with this project on it. It joins with a token, once, and streams by itself from
          then on.
        </Text>
      </div>
      {isAdmin ? (
        <>
          <JoinForm />
          <JoinTokens />
        </>
      ) : (
        <Text>Ask an admin of this fleet to let a device in.</Text>
      )}
    </section>
  );
}
