/** Who is signed in, what is theirs, and what is looked after now and then. */
import { ActionIcon, Menu, Text } from '@mantine/core';
import { IconHistory, IconLogout, IconShieldCheck, IconTool, IconUserCircle, IconUserCog, IconUsers } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'wouter';
import { remove } from '../api/api.ts';
import { endSession } from '../api/end-session.ts';
import { forgetPreviews } from '../live/preview-times.ts';
import { useMay, usePerson } from '../session/person.tsx';

export function PersonMenu() {
  const person = usePerson();
  const isAdmin = useMay('admin');
  const client = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => remove('/session'),
    onSuccess: () => {
      forgetPreviews();
      endSession(client);
    },
  });
  return (
    <Menu position="bottom-end" width={210}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Account">
          <IconUserCircle size={21} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} component="span" display="block" c="var(--mantine-color-text)">
            {person?.name}
          </Text>
          {person?.role}
        </Menu.Label>
        <Menu.Item component={Link} href="/account" leftSection={<IconUserCog size={16} aria-hidden />}>
          Your account
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Fleet</Menu.Label>
        <Menu.Item component={Link} href="/maintenance" leftSection={<IconTool size={16} aria-hidden />}>
          Maintenance
        </Menu.Item>
        <Menu.Item component={Link} href="/watchdog" leftSection={<IconShieldCheck size={16} aria-hidden />}>
          Watchdog
        </Menu.Item>
        {isAdmin && (
          <>
            <Menu.Divider />
            <Menu.Label>Admins</Menu.Label>
            <Menu.Item component={Link} href="/people" leftSection={<IconUsers size={16} aria-hidden />}>
              People
            </Menu.Item>
            <Menu.Item component={Link} href="/audit-log" leftSection={<IconHistory size={16} aria-hidden />}>
              Audit log
            </Menu.Item>
          </>
        )}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
