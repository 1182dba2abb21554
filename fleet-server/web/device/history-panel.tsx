/** What happened to the device, newest first. */
import { Skeleton } from '@mantine/core';
import { IconCpu, IconServer, IconShieldCheck, IconUser } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'wouter';
import { type HistoryEntry, historyOrigins } from '#protocol/model/history.ts';
import { historyKindsQuery, historyQuery } from '../api/queries.ts';
import { AnySelect } from '../layout/any-select.tsx';
import { OlderButton } from '../layout/older-button.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { inWords } from '../status/conditions.ts';
import { Ago } from '../time/times.tsx';
import { exactWords } from '../time/words.ts';
import classes from './device-page.module.css';
import {
  type HistoryFilter,
  historyQueryOf,
  kindChoices,
  lateWords,
  originNamed,
  originTitles,
  readHistoryFilter,
  withOrigin,
} from './history-filter.ts';
import { Panel } from './panel.tsx';

const icons = {
  device: IconCpu,
  server: IconServer,
  watchdog: IconShieldCheck,
  person: IconUser,
} as const satisfies { readonly [Origin in HistoryEntry['origin']]: unknown };

function Entry({ entry }: { readonly entry: HistoryEntry }) {
  const Icon = icons[entry.origin];
  const title = originTitles[entry.origin];
  const late = lateWords(entry);
  return (
    <li data-testid="history-entry" data-origin={entry.origin} data-kind={entry.kind}>
      <span className={classes['origin']} title={title}>
        <Icon size={15} role="img" aria-label={title} />
      </span>
      <div>
        <div className={classes['entryTitle']}>
          <strong>{inWords(entry.kind)}</strong>
          <span className="dim">
            <Ago at={entry.at} />
            {late !== null && <span title={`It arrived on ${exactWords(entry.arrivedAt)}`}>, {late}</span>}
          </span>
        </div>
        {entry.detail !== '' && <p>{entry.detail}</p>}
      </div>
    </li>
  );
}

type FilterProps = { readonly id: string; readonly filter: HistoryFilter; readonly onFilter: (filter: HistoryFilter) => void };

function Filter({ id, filter, onFilter }: FilterProps) {
  const known = useQuery(historyKindsQuery(id));
  const kinds = known.data?.kinds ?? [];
  return (
    <div className={classes['historyFilter']}>
      <AnySelect
        label={{ unseen: 'Who says so' }}
        className={classes['historyChoice']}
        any="Anybody"
        value={filter.origin}
        data={historyOrigins.map((value) => ({ value, label: originTitles[value] }))}
        onChange={(origin) => onFilter(withOrigin(filter, originNamed(origin), kinds))}
      />
      <AnySelect
        label={{ unseen: 'What happened' }}
        className={classes['historyChoice']}
        any="Anything"
        value={filter.kind}
        data={[...kindChoices(kinds, filter)]}
        onChange={(kind) => onFilter({ ...filter, kind })}
      />
    </div>
  );
}

export function HistoryPanel({ id }: { readonly id: string }) {
  const [address, setAddress] = useSearchParams();
  const filter = readHistoryFilter(address);
  const history = useInfiniteQuery(historyQuery(id, filter));
  const entries = history.data?.pages.flatMap((page) => page.entries) ?? [];
  const isFiltered = filter.origin !== '' || filter.kind !== '';
  return (
    <Panel
      title="History"
      aside={<Filter id={id} filter={filter} onFilter={(next) => setAddress(historyQueryOf(next), { replace: true })} />}
    >
      {history.isPending && <Skeleton h={160} aria-label="Loading" />}
      {history.isError && history.data === undefined && <ProblemAlert title="The history cannot be read" error={history.error} />}
      {history.data !== undefined && entries.length === 0 && (
        <p className={classes['none']}>{isFiltered ? 'Nothing of the kind has happened.' : 'Nothing has happened yet.'}</p>
      )}
      <ol className={`plain-list ${classes['history']}`} aria-label="Entries, newest first">
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ol>
      {history.isFetchNextPageError && <ProblemAlert title="What is older cannot be read" error={history.error} />}
      <OlderButton list={history} />
    </Panel>
  );
}
