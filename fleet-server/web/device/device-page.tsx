/** One device: its picture, how it is, and everything that can be done with it. */
import { Anchor, Button, EmptyState, Skeleton, Tabs, Title } from '@mantine/core';
import { IconArrowLeft, IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { ApiProblem, pathOf } from '../api/api.ts';
import { deviceQuery } from '../api/queries.ts';
import { ApprovalButtons } from '../devices/newcomers.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import { MaintenanceNote } from '../maintenance/maintenance-note.tsx';
import { useMay } from '../session/person.tsx';
import { noDrafts } from '../settings/device-settings-form.tsx';
import { Announcer } from '../status/announcer.tsx';
import { SettingsBadge } from '../status/settings-badge.tsx';
import { StreamBadge } from '../status/stream-badge.tsx';
import { presenceWords } from '../status/stream-words.ts';
import { For } from '../time/times.tsx';
import { LetInAgain } from './access-controls.tsx';
import { CommandsPanel } from './commands-panel.tsx';
import { DeviceMenu } from './device-menu.tsx';
import classes from './device-page.module.css';
import { partOf, partsFor } from './device-parts.ts';
import { HistoryPanel } from './history-panel.tsx';
import { LogPanel } from './log-panel.tsx';
import { Overview } from './overview.tsx';
import { RecordingsPanel } from './recordings-panel.tsx';
import { SettingsPart } from './settings-part.tsx';
import { SnapshotPanel } from './snapshot-panel.tsx';

function Heading({ device }: { readonly device: DeviceDetail }) {
  const { presence, stream } = device;
  const isOperator = useMay('operator');
  const PresenceIcon = presence.state === 'offline' ? IconPlugConnectedX : IconPlugConnected;
  return (
    <div className={classes['heading']}>
      <div className={classes['headingName']}>
        <Title order={1} size="h2">
          {device.name}
        </Title>
        {device.group !== null && (
          <Link href={`/settings/${device.group}`} className={classes['group']} title={`Settings of group ${device.group}`}>
            {device.group}
          </Link>
        )}
        {device.tags.map((tag) => (
          <span key={tag} className={classes['tag']} title="Tag">
            {tag}
          </span>
        ))}
        {isOperator && <DeviceMenu device={device} />}
        {isOperator && device.waitingSince !== null && <ApprovalButtons device={device} />}
        {isOperator && device.blockedSince !== null && <LetInAgain device={device} />}
      </div>
      <div className={classes['headingState']}>
        <StreamBadge stream={stream} look="large" />
        <span>
          for <For since={stream.since} />
        </span>
        <span className={classes['presence']} title={presence.reason}>
          <PresenceIcon size={16} aria-hidden />
          {presenceWords[presence.state]} for <For since={presence.since} />
        </span>
        <SettingsBadge settings={device.settings} />
      </div>
      {stream.detail !== '' && <p className={classes['detail']}>{stream.detail}</p>}
    </div>
  );
}

function Loading() {
  return (
    <div className={classes['columns']} aria-busy="true">
      <div className={classes['main']}>
        <Skeleton className={classes['playerSkeleton']} radius={14} />
        <Skeleton h={104} radius="lg" />
        <Skeleton h={420} radius="lg" />
      </div>
      <div className={classes['side']}>
        <Skeleton h={120} radius="lg" />
        <Skeleton h={300} radius="lg" />
        <Skeleton h={240} radius="lg" />
      </div>
    </div>
  );
}

export function DevicePage({ id, part }: { readonly id: string; readonly part: string }) {
  const device = useQuery(deviceQuery(id));
  useTitle(device.data?.name ?? 'Device');
  const isGone = device.error instanceof ApiProblem && device.error.status === 404;
  return (
    <>
      <Anchor component={Link} href="/" size="sm" className={classes['back']}>
        <IconArrowLeft size={15} aria-hidden /> Devices
      </Anchor>
      {isGone && (
        <EmptyState
          icon={<IconPlugConnectedX aria-hidden />}
          title="This device is not in the fleet"
          description="It was removed, or its address was mistyped."
          mt={60}
        >
          <Button component={Link} href="/" variant="light">
            All devices
          </Button>
        </EmptyState>
      )}
      {!isGone && device.data === undefined && device.isPending && <Loading />}
      {!isGone && device.data === undefined && device.isError && (
        <ProblemAlert title="The device cannot be read" error={device.error} onRetry={() => void device.refetch()} />
      )}
      {!isGone && device.data !== undefined && <Device device={device.data} part={part} />}
    </>
  );
}

function Device({ device, part }: { readonly device: DeviceDetail; readonly part: string }) {
  const [, goTo] = useLocation();
  const [drafts, setDrafts] = useState(noDrafts);
  const parts = partsFor(useMay('operator'));
  const here = partOf(part, parts);
  const list = useRef<HTMLDivElement>(null);
  // On a phone the row is wider than the window: the part that is looked at must be seen in it.
  useEffect(() => {
    const tab = list.current?.querySelector(`[data-part="${here}"]`);
    tab?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, [here]);
  const address = (name: string): string => pathOf('devices', device.id, ...(name === 'overview' ? [] : [name]));
  const contents: { readonly [Name in typeof here]: () => ReactNode } = {
    overview: () => <Overview device={device} />,
    settings: () => <SettingsPart device={device} drafts={drafts} onDrafts={setDrafts} />,
    commands: () => (
      <div className={classes['stack']}>
        <CommandsPanel device={device} />
        <SnapshotPanel device={device} />
      </div>
    ),
    recordings: () => <RecordingsPanel device={device} />,
    history: () => <HistoryPanel id={device.id} />,
    log: () => <LogPanel device={device} />,
  };
  return (
    <>
      <Announcer devices={[device]} />
      <Heading device={device} />
      <MaintenanceNote deviceId={device.id} group={device.group} />
      <Tabs value={here} onChange={(next) => next !== null && goTo(address(next))} keepMounted={false}>
        <Tabs.List className={classes['parts']} ref={list}>
          {parts.map(({ name, title }) => (
            <Tabs.Tab key={name} value={name} data-part={name}>
              {title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={here}>{contents[here]()}</Tabs.Panel>
      </Tabs>
    </>
  );
}
