/** What is wrong now, and what is over. */
import { Button, Skeleton, Title } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { alertsNowQuery, alertsOverQuery } from '../api/queries.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { AlertItem } from './alert-item.tsx';
import { mostUrgentFirst } from './alert-order.ts';
import classes from './alerts.module.css';

const shownAtFirst = 10;

function Now() {
  const now = useQuery(alertsNowQuery);
  if (now.data === undefined) {
    if (now.isPending) return <Skeleton h={96} radius="md" aria-label="Loading" />;
    return <ProblemAlert title="The alerts cannot be read" error={now.error} onRetry={() => void now.refetch()} />;
  }
  if (now.data.alerts.length === 0) {
    return (
      <p className={`panel ${classes['good']}`} data-testid="no-alerts">
        <IconCircleCheck size={20} aria-hidden />
        Nothing is wrong.
      </p>
    );
  }
  return (
    <>
      <ul className={`plain-list ${classes['alerts']}`}>
        {mostUrgentFirst(now.data.alerts).map((alert) => (
          <AlertItem key={alert.id} alert={alert} />
        ))}
      </ul>
      {now.data.next !== null && <p className="dim">{`These are the newest ${now.data.alerts.length}. There are older ones.`}</p>}
    </>
  );
}

function Over() {
  const over = useQuery(alertsOverQuery);
  const [isLong, setLong] = useState(false);
  if (over.data === undefined) {
    if (over.isPending) return <Skeleton h={96} radius="md" aria-label="Loading" />;
    return <ProblemAlert title="The alerts that are over cannot be read" error={over.error} onRetry={() => void over.refetch()} />;
  }
  const { alerts } = over.data;
  if (alerts.length === 0) return <p className="dim">There has been none.</p>;
  return (
    <>
      <ul className={`plain-list ${classes['alerts']}`}>
        {(isLong ? alerts : alerts.slice(0, shownAtFirst)).map((alert) => (
          <AlertItem key={alert.id} alert={alert} />
        ))}
      </ul>
      {!isLong && alerts.length > shownAtFirst && (
        <Button variant="subtle" size="compact-sm" mt="sm" onClick={() => setLong(true)}>
          {`Show ${alerts.length - shownAtFirst} more`}
        </Button>
      )}
    </>
  );
}

export function CurrentAlerts() {
  return (
    <>
      <section aria-labelledby="alerts-now">
        <Title order={2} size="h4" mb="sm" id="alerts-now">
          Now
        </Title>
        <Now />
      </section>
      <section aria-labelledby="alerts-over" className={classes['part']}>
        <Title order={2} size="h4" mb="sm" id="alerts-over">
          Over
        </Title>
        <Over />
      </section>
    </>
  );
}
