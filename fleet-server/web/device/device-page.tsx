/** One device: its picture, how it is, and everything that can be done with it. */
import { Anchor, Button, EmptyState, Skeleton, Title } from '@mantine/core';
import { IconArrowLeft, IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { ApiProblem } from '../api/api.ts';
import { deviceQuery } from '../api/queries.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useTitle } from '../layout/use-title.ts';
import { useMay } from '../session/person.tsx';
import { DeviceSettingsForm } from '../settings/device-settings-form.tsx';
import { Announcer } from '../status/announcer.tsx';
import { SettingsBadge } from '../status/settings-badge.tsx';
import { StreamBadge } from '../status/stream-badge.tsx';
import { presenceWords } from '../status/stream-words.ts';
import { For } from '../time/times.tsx';
import { CommandsPanel } from './commands-panel.tsx';
import { ConditionsPanel } from './conditions-panel.tsx';
import { DeviceMenu } from './device-menu.tsx';
import classes from './device-page.module.css';
import { BoardPanel, StreamPanel } from './facts-panels.tsx';
import { HealthCharts } from './health-charts.tsx';
import { HistoryPanel } from './history-panel.tsx';
import { OutputsPanel } from './outputs-panel.tsx';
import { Player } from './player.tsx';
import { RecordingsPanel } from './recordings-panel.tsx';
import { SnapshotPanel } from './snapshot-panel.tsx';
import { SoundPanel } from './sound-panel.tsx';

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
        {device.group !== null && <span className={classes['group']}>{device.group}</span>}
        {isOperator && <DeviceMenu device={device} />}
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

export function DevicePage({ id }: { readonly id: string }) {
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
      {!isGone && device.data !== undefined && <Device device={device.data} />}
    </>
  );
}

function Device({ device }: { readonly device: DeviceDetail }) {
  return (
    <>
      <Announcer devices={[device]} />
      <Heading device={device} />
      <div className={classes['columns']}>
        <div className={classes['main']}>
          <div className={classes['place1']}>
            <Player device={device} />
          </div>
          <div className={classes['place3']}>
            <HealthCharts id={device.id} />
          </div>
          <div className={classes['place5']}>
            <DeviceSettingsForm device={device} />
          </div>
        </div>
        <div className={classes['side']}>
          <div className={classes['place2']}>
            <ConditionsPanel device={device} />
            <CommandsPanel device={device} />
            <SnapshotPanel device={device} />
          </div>
          <div className={classes['place4']}>
            <SoundPanel device={device} />
            <StreamPanel device={device} />
            <OutputsPanel device={device} />
            <RecordingsPanel device={device} />
          </div>
          <div className={classes['place6']}>
            <BoardPanel device={device} />
            <HistoryPanel id={device.id} />
          </div>
        </div>
      </div>
    </>
  );
}
