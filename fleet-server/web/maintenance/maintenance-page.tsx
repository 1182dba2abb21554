/** Maintenance windows: which are open, to come, over; and planning one. */
import { Badge, Button, Skeleton } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { MaintenanceWindow } from '#protocol/model/maintenance.ts';
import { pathOf, remove } from '../api/api.ts';
import { deviceQuery, maintenanceQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { Confirm } from '../layout/confirm.tsx';
import { PageHeading } from '../layout/page-heading.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import rows from '../layout/rows.module.css';
import { useTitle } from '../layout/use-title.ts';
import { useMay } from '../session/person.tsx';
import { dayWords } from '../time/words.ts';
import { draftOf, type MaintenanceDraft, newDraft } from './maintenance-draft.ts';
import { MaintenanceForm } from './maintenance-form.tsx';
import { inOrder, phaseOf, scheduleWords, scopeWords, type WindowPhase } from './maintenance-words.ts';

const badges = {
  open: { words: 'Open', color: 'orange' },
  'to-come': { words: 'To come', color: 'indigo' },
  over: { words: 'Over', color: 'gray' },
} as const satisfies { readonly [Phase in WindowPhase]: unknown };

type Open =
  | { readonly kind: 'form'; readonly windowId: string | null; readonly draft: MaintenanceDraft }
  | { readonly kind: 'end'; readonly window: MaintenanceWindow };

const ownTimeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Of the few devices that windows are about. */
function useNames(windows: readonly MaintenanceWindow[]): ReadonlyMap<string, string> {
  const ids = [...new Set(windows.flatMap(({ scope }) => (scope.kind === 'device' ? [scope.id] : [])))];
  const devices = useQueries({ queries: ids.map((id) => deviceQuery(id)) });
  return new Map(devices.flatMap(({ data }) => (data === undefined ? [] : [[data.id, data.name] as const])));
}

type RowProps = {
  readonly window: MaintenanceWindow;
  readonly whom: string;
  readonly onOpen: ((open: Open) => void) | null;
};

function WindowRow({ window, whom, onOpen }: RowProps) {
  const nowMs = serverNowMs();
  const phase = phaseOf(window, nowMs);
  return (
    <li className={`${rows['row']} ${rows['wraps']}`} data-testid="maintenance-window" data-phase={phase}>
      <div className={rows['main']}>
        <h2 className={rows['title']}>
          {whom}
          <Badge variant="light" color={badges[phase].color} tt="none">
            {badges[phase].words}
            {window.openUntil === null ? '' : ` until ${dayWords(window.openUntil)}`}
          </Badge>
        </h2>
        <p className={rows['words']}>{scheduleWords(window.schedule)}</p>
        <p className={rows['words']}>{`${window.reason} · planned by ${window.createdBy}`}</p>
      </div>
      {onOpen !== null && (
        <div className={rows['actions']}>
          {phase !== 'over' && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => onOpen({ kind: 'form', windowId: window.id, draft: draftOf(window, nowMs, ownTimeZone()) })}
            >
              Change
            </Button>
          )}
          <Button size="compact-sm" variant="subtle" color="red" onClick={() => onOpen({ kind: 'end', window })}>
            {phase === 'open' ? 'End now' : 'Remove'}
          </Button>
        </div>
      )}
    </li>
  );
}

export function MaintenancePage() {
  const windows = useQuery(maintenanceQuery);
  const isOperator = useMay('operator');
  const client = useQueryClient();
  const [open, setOpen] = useState<Open | null>(null);
  const list = windows.data?.windows ?? [];
  const names = useNames(list);
  const close = (): void => setOpen(null);
  useTitle('Maintenance');
  return (
    <>
      <PageHeading
        title="Maintenance windows"
        words="While one is open the watchdog restarts nothing of what it covers, and no alert is opened about it. What is still wrong at its end is told then."
      >
        {isOperator && (
          <Button
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => setOpen({ kind: 'form', windowId: null, draft: newDraft(serverNowMs(), ownTimeZone(), {}) })}
          >
            Plan a window
          </Button>
        )}
      </PageHeading>
      {windows.data === undefined && windows.isPending && <Skeleton h={220} radius="lg" aria-label="Loading" />}
      {windows.data === undefined && windows.isError && (
        <ProblemAlert title="The maintenance windows cannot be read" error={windows.error} onRetry={() => void windows.refetch()} />
      )}
      {windows.data !== undefined && list.length === 0 && <p className="panel">No maintenance is planned.</p>}
      {list.length > 0 && (
        <ul className={`panel plain-list ${rows['rows']}`} aria-label="Maintenance windows">
          {inOrder(list, serverNowMs()).map((window) => (
            <WindowRow
              key={window.id}
              window={window}
              whom={scopeWords(window.scope, (id) => names.get(id) ?? null)}
              onOpen={isOperator ? setOpen : null}
            />
          ))}
        </ul>
      )}
      {open?.kind === 'form' && <MaintenanceForm windowId={open.windowId} first={open.draft} onClose={close} />}
      {open?.kind === 'end' && (
        <Confirm
          title="End the maintenance window?"
          words="It is gone at once and for good: the watchdog acts again, and what is wrong is told."
          action="End it"
          problemTitle="Not ended"
          act={async () => {
            await remove(pathOf('maintenance-windows', open.window.id));
            await client.invalidateQueries({ queryKey: queryKeys.maintenance });
          }}
          onClose={close}
        />
      )}
    </>
  );
}
