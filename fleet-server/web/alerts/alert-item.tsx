/** One alert: what is wrong, since when, who looks after it. */
import { Anchor, Button } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'wouter';
import { Alert } from '#protocol/model/alert.ts';
import { messageOf, pathOf, send } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { useMay } from '../session/person.tsx';
import { SeverityIcon, toneOf } from '../status/condition-chips.tsx';
import { Ago } from '../time/times.tsx';
import { durationWords } from '../time/words.ts';
import classes from './alerts.module.css';
import { severityWords } from './rule-words.ts';

function When({ alert }: { readonly alert: Alert }) {
  const { openedAt, resolvedAt, acknowledgedAt, acknowledgedBy, escalatedAt } = alert;
  const hasEnded = resolvedAt !== null;
  return (
    <p className={classes['facts']}>
      <span>
        {hasEnded ? (
          <>
            Over <Ago at={resolvedAt} />, lasted{' '}
            <span className="figure">{durationWords(Date.parse(resolvedAt) - Date.parse(openedAt))}</span>
          </>
        ) : (
          <>
            Since <Ago at={openedAt} />
          </>
        )}
      </span>
      {escalatedAt !== null && !hasEnded && (
        <span>
          Told further <Ago at={escalatedAt} />
        </span>
      )}
      {acknowledgedAt !== null && (
        <span>
          {acknowledgedBy ?? 'Somebody'} looks after it{hasEnded ? '' : ' since '}
          {!hasEnded && <Ago at={acknowledgedAt} />}
        </span>
      )}
      <span>Rule: {alert.ruleName}</span>
      {alert.deviceId !== null && (
        <Anchor component={Link} href={pathOf('devices', alert.deviceId)} inherit aria-label={`Go to the device: ${alert.title}`}>
          Go to the device
        </Anchor>
      )}
    </p>
  );
}

function Acknowledge({ alert }: { readonly alert: Alert }) {
  const client = useQueryClient();
  const acknowledge = useMutation({
    mutationFn: () => send('POST', `${pathOf('alerts', alert.id)}/acknowledge`, undefined, Alert),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.alerts('now') }),
  });
  return (
    <div className={classes['act']}>
      <Button
        size="compact-md"
        variant="light"
        leftSection={<IconCheck size={16} aria-hidden />}
        loading={acknowledge.isPending}
        onClick={() => acknowledge.mutate()}
        title="Tells the others that you look after it"
        aria-label={`Acknowledge: ${alert.title}`}
      >
        Acknowledge
      </Button>
      {acknowledge.isError && (
        <p role="alert" className={classes['problem']}>
          {messageOf(acknowledge.error)}
        </p>
      )}
    </div>
  );
}

export function AlertItem({ alert }: { readonly alert: Alert }) {
  const isOperator = useMay('operator');
  const { severity, state } = alert;
  return (
    <li
      className={classes['alert']}
      data-tone={state === 'resolved' ? 'quiet' : toneOf(severity)}
      data-testid="alert"
      data-state={state}
      data-severity={severity}
    >
      <span className={classes['sign']} role="img" aria-label={severityWords[severity]} title={severityWords[severity]}>
        <SeverityIcon severity={severity} size={20} />
      </span>
      <div className={classes['words']}>
        <h3>{alert.title}</h3>
        {alert.detail !== '' && <p>{alert.detail}</p>}
        <When alert={alert} />
      </div>
      {state === 'open' && isOperator && <Acknowledge alert={alert} />}
      {state === 'acknowledged' && <span className={classes['taken']}>Acknowledged</span>}
    </li>
  );
}
