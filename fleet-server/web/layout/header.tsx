/** What stands above every page. */
import { ActionIcon, Button, Menu, Text } from '@mantine/core';
import { IconAdjustments, IconLayoutGrid, IconLogout, IconUserCircle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useLocation } from 'wouter';
import { remove } from '../api/api.ts';
import { endSession } from '../api/end-session.ts';
import { forgetPreviews } from '../live/preview-times.ts';
import { usePerson } from '../session/person.tsx';
import { Brand } from './brand.tsx';
import classes from './layout.module.css';
import { LiveSign } from './live-sign.tsx';
import { SchemeSwitch } from './scheme-switch.tsx';

const pages = [
  { href: '/', title: 'Devices', Icon: IconLayoutGrid, isHere: (path: string) => path === '/' || path.startsWith('/devices') },
  { href: '/settings', title: 'Fleet settings', Icon: IconAdjustments, isHere: (path: string) => path.startsWith('/settings') },
] as const;

function PersonMenu() {
  const person = usePerson();
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
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

export function Header() {
  const [path] = useLocation();
  return (
    <header className={classes['header']}>
      <a className={classes['skip']} href="#content">
        Skip to the content
      </a>
      <div className={classes['bar']}>
        <Link href="/" className={classes['home']} aria-label="MakeSpaceLive: devices">
          <Brand isShort />
        </Link>
        <nav className={classes['nav']} aria-label="Pages">
          {pages.map(({ href, title, Icon, isHere }) => (
            <Button
              key={href}
              component={Link}
              href={href}
              size="compact-md"
              variant={isHere(path) ? 'light' : 'subtle'}
              color={isHere(path) ? 'indigo' : 'gray'}
              leftSection={<Icon size={17} aria-hidden />}
              aria-current={isHere(path) ? 'page' : undefined}
            >
              {title}
            </Button>
          ))}
        </nav>
        <div className={classes['tools']}>
          <LiveSign />
          <SchemeSwitch />
          <PersonMenu />
        </div>
      </div>
    </header>
  );
}
