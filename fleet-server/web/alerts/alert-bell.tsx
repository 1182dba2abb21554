/** How many alerts nobody has acknowledged yet, on every page. */
import { ActionIcon, Indicator, VisuallyHidden } from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from 'wouter';
import { alertsNowQuery } from '../api/queries.ts';
import { bellCount, bellWords, worstTone } from './alert-order.ts';

export function AlertBell() {
  const [path] = useLocation();
  const { data } = useQuery(alertsNowQuery);
  const alerts = data?.alerts ?? [];
  const open = alerts.filter(({ state }) => state === 'open');
  const isHere = path.startsWith('/alerts');
  return (
    <>
      <Indicator
        label={bellCount(open.length)}
        disabled={open.length === 0}
        color={worstTone(open) === 'bad' ? 'red.8' : 'orange.9'}
        size={17}
        offset={6}
        fz={11}
        fw={700}
      >
        <ActionIcon
          component={Link}
          href="/alerts"
          variant={isHere ? 'light' : 'subtle'}
          color={isHere ? 'indigo' : 'gray'}
          size="lg"
          aria-label={bellWords(open.length)}
          aria-current={isHere ? 'page' : undefined}
          data-testid="alert-bell"
          data-open={open.length}
        >
          <IconBell size={20} aria-hidden />
        </ActionIcon>
      </Indicator>
      <VisuallyHidden role="status">{data === undefined ? '' : bellWords(open.length)}</VisuallyHidden>
    </>
  );
}
