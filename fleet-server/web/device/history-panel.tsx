/** What happened to the device, newest first. */
import { Button, Skeleton } from '@mantine/core';
import { IconCpu, IconServer, IconShieldCheck, IconUser } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { HistoryEntry } from '#protocol/model/history.ts';
import { historyQuery } from '../api/queries.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { inWords } from '../status/conditions.ts';
import { Ago } from '../time/times.tsx';
import classes from './device-page.module.css';
import { Panel } from './panel.tsx';

const origins = {
  device: { title: 'The device', Icon: IconCpu },
  server: { title: 'The fleet server', Icon: IconServer },
  watchdog: { title: 'The watchdog', Icon: IconShieldCheck },
  person: { title: 'A person', Icon: IconUser },
} as const satisfies { readonly [Origin in HistoryEntry['origin']]: unknown };

const shownAtFirst = 12;

function Entry({ entry }: { readonly entry: HistoryEntry }) {
  const { title, Icon } = origins[entry.origin];
  return (
    <li data-origin={entry.origin}>
      <span className={classes['origin']} title={title}>
        <Icon size={15} role="img" aria-label={title} />
      </span>
      <div>
        <div className={classes['entryTitle']}>
          <strong>{inWords(entry.kind)}</strong>
          <span className="dim">
            <Ago at={entry.at} />
          </span>
        </div>
        {entry.detail !== '' && <p>{entry.detail}</p>}
      </div>
    </li>
  );
}

export function HistoryPanel({ id }: { readonly id: string }) {
  const history = useQuery(historyQuery(id));
  const [isLong, setLong] = useState(false);
  const entries = history.data?.entries ?? [];
  return (
    <Panel title="History">
      {history.isPending && <Skeleton h={160} />}
      {history.isError && history.data === undefined && <ProblemAlert title="The history cannot be read" error={history.error} />}
      {history.data !== undefined && entries.length === 0 && <p className={classes['none']}>Nothing has happened yet.</p>}
      <ol className={`plain-list ${classes['history']}`}>
        {(isLong ? entries : entries.slice(0, shownAtFirst)).map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ol>
      {!isLong && entries.length > shownAtFirst && (
        <Button variant="subtle" size="compact-sm" mt="xs" onClick={() => setLong(true)}>
          {`Show ${entries.length - shownAtFirst} more`}
        </Button>
      )}
    </Panel>
  );
}
