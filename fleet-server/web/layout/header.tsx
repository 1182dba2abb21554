/** What stands above every page. */
import { Button } from '@mantine/core';
import { IconAdjustments, IconLayoutGrid } from '@tabler/icons-react';
import { Link, useLocation } from 'wouter';
import { AlertBell } from '../alerts/alert-bell.tsx';
import { Brand } from './brand.tsx';
import classes from './layout.module.css';
import { LiveSign } from './live-sign.tsx';
import { PersonMenu } from './person-menu.tsx';
import { SchemeSwitch } from './scheme-switch.tsx';

const pages = [
  { href: '/', title: 'Devices', Icon: IconLayoutGrid, isHere: (path: string) => path === '/' || path.startsWith('/devices') },
  {
    href: '/settings',
    title: 'Fleet settings',
    Icon: IconAdjustments,
    isHere: (path: string) => path.startsWith('/settings') || path.startsWith('/rollouts'),
  },
] as const;

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
          <AlertBell />
          <SchemeSwitch />
          <PersonMenu />
        </div>
      </div>
    </header>
  );
}
