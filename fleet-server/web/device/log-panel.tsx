/** The device's own log: asked for as long as it is looked at, and shown as it comes. */
import { Button, Group, SegmentedControl, TextInput } from '@mantine/core';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { skipToken, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { logBounds } from '#protocol/commands.ts';
import { CommandStatus } from '#protocol/model/command.ts';
import type { DeviceDetail } from '#protocol/model/device.ts';
import type { DeviceLog } from '#protocol/model/log.ts';
import { pathOf, send } from '../api/api.ts';
import { commandsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useNow } from '../time/now.ts';
import { clockWords, durationWords, exactWords } from '../time/words.ts';
import { useLiveLog } from './live-log.ts';
import { type LogLease, logLease, shouldAsk } from './log-lease.ts';
import { isShown, type LogEntry, type LogLevel, logEntry, logFileName } from './log-lines.ts';
import classes from './log-panel.module.css';
import { Panel } from './panel.tsx';

function leaseWords(lease: LogLease, nowMs: number): string {
  switch (lease.kind) {
    case 'none':
      return 'A device sends its log only when it is asked to.';
    case 'asked':
      return 'Asked for; the device has not answered yet.';
    case 'open':
      return `Each new line is shown as it comes, for another ${durationWords(lease.untilMs - nowMs)} and longer while this page is open.`;
    case 'over':
      return 'This page was open for long, and the device sends no more: ask it again for what came since.';
    case 'not-given':
      return `Not sent: ${lease.words}`;
    default:
      return lease satisfies never;
  }
}

/** What the live connection has brought; nothing is fetched. */
function useLines(id: string): DeviceLog['lines'] {
  const log = useQuery<DeviceLog>({ queryKey: queryKeys.deviceLog(id), queryFn: skipToken });
  return log.data?.lines ?? [];
}

/** Asks for the log when it is opened, and again each time that the device ends it. */
function useAsking(id: string, lease: LogLease | null, isAway: boolean) {
  const client = useQueryClient();
  const [asks, setAsks] = useState(0);
  const request = useMutation({
    mutationFn: () =>
      send('POST', pathOf('devices', id, 'commands'), { kind: 'send-logs', arguments: { lines: logBounds.lines } }, CommandStatus),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.commands(id) }),
  });
  const { mutate, isIdle, isSuccess } = request;
  const isDue = lease !== null && (isIdle || isSuccess) && shouldAsk(lease, { isAway, asks });
  useEffect(() => {
    if (!isDue) return;
    setAsks((before) => before + 1);
    mutate();
  }, [isDue, mutate]);
  return request;
}

function Line({ entry: { level, at, message } }: { readonly entry: LogEntry }) {
  return (
    <li data-level={level} data-testid="log-line">
      <time className="figure" dateTime={at ?? undefined} title={at === null ? undefined : exactWords(at)}>
        {at === null ? '' : clockWords(at)}
      </time>
      <span className={classes['level']}>{level}</span>
      <span>{message}</span>
    </li>
  );
}

export function LogPanel({ device }: { readonly device: DeviceDetail }) {
  const nowMs = useNow();
  const [least, setLeast] = useState<LogLevel>('debug');
  const [search, setSearch] = useState('');
  const commands = useQuery(commandsQuery(device.id));
  const lease = logLease(commands.data?.commands ?? [], nowMs);
  const isAway = device.presence.state !== 'online';
  const isOpen = useLiveLog(device.id);
  const request = useAsking(device.id, commands.data === undefined ? null : lease, isAway);
  const lines = useLines(device.id);
  const shown = lines.map(logEntry).filter((entry) => isShown(entry, least, search));
  return (
    <Panel
      title="Log"
      aside={
        <Button
          size="xs"
          loading={request.isPending || lease.kind === 'asked'}
          disabled={isAway || lease.kind === 'open'}
          onClick={() => request.mutate()}
        >
          {lease.kind === 'none' ? 'Ask for the log' : 'Ask again'}
        </Button>
      }
    >
      <p className={classes['words']} role="status" data-testid="log-lease" data-kind={lease.kind}>
        {isAway && lease.kind !== 'open' ? 'A device that is not connected cannot send its log.' : leaseWords(lease, nowMs)}
      </p>
      {request.isError && <ProblemAlert title="Not asked" error={request.error} />}
      {isOpen === false && <p className={classes['words']}>The connection for new lines was lost; it is opened again.</p>}
      {lines.length === 0 && lease.kind === 'open' && (
        <p className={classes['words']}>No line yet: since it started it has written none that its AGENT_LOG_LEVEL lets through.</p>
      )}
      {lines.length > 0 && (
        <>
          <Group gap="sm" my="sm">
            <SegmentedControl<LogLevel>
              aria-label="Least level"
              size="xs"
              value={least}
              onChange={setLeast}
              data={[
                { value: 'debug', label: 'All' },
                { value: 'info', label: 'Info' },
                { value: 'warn', label: 'Warnings' },
                { value: 'error', label: 'Errors' },
              ]}
            />
            <TextInput
              aria-label="Search the log"
              size="xs"
              flex={1}
              miw={140}
              placeholder="Search"
              leftSection={<IconSearch size={14} aria-hidden />}
              value={search}
              onChange={(event) => setSearch(event.currentTarget.value)}
            />
            <Button
              size="xs"
              variant="default"
              leftSection={<IconDownload size={15} aria-hidden />}
              onClick={() => download(logFileName(device.name, serverNowMs()), lines)}
            >
              Download
            </Button>
          </Group>
          <div className={classes['window']} role="log" aria-label="Log of the device">
            <ol className="plain-list">
              {shown.map((entry) => (
                <Line key={entry.number} entry={entry} />
              ))}
            </ol>
          </div>
          <p className={classes['words']}>
            {shown.length === lines.length ? `${lines.length} lines` : `${shown.length} of ${lines.length} lines`}
          </p>
        </>
      )}
    </Panel>
  );
}

/** All of it, as the device wrote it. */
function download(name: string, lines: DeviceLog['lines']): void {
  const address = URL.createObjectURL(
    new Blob(
      lines.map(({ text }) => `${text}\n`),
      { type: 'text/plain' },
    ),
  );
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
