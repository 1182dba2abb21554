/** Devices as rows, to compare many. */
import { Table, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { DeviceSummary } from '#protocol/model/device.ts';
import { pathOf } from '../api/api.ts';
import { ConditionChips } from '../status/condition-chips.tsx';
import { SettingsBadge } from '../status/settings-badge.tsx';
import { StreamBadge } from '../status/stream-badge.tsx';
import { presenceWords } from '../status/stream-words.ts';
import { For } from '../time/times.tsx';
import { ContentSigns } from './content-signs.tsx';
import classes from './device-table.module.css';
import { PreviewImage } from './preview-image.tsx';
import { shownFigures } from './shown-figures.ts';

const shownConditionsLimit = 2;
const columns = ['Picture', 'Device', 'Stream', 'Relay', 'Encoder', 'Board', 'Conditions'] as const;

function DeviceRow({ device, tick }: { readonly device: DeviceSummary; readonly tick: ReactNode }) {
  const figures = shownFigures(device);
  return (
    <Table.Tr data-testid="device-row" data-device-id={device.id}>
      {tick !== undefined && <Table.Td>{tick}</Table.Td>}
      <Table.Td>
        <Link href={pathOf('devices', device.id)} tabIndex={-1} aria-hidden className={classes['thumbnail']}>
          <PreviewImage device={device} isSmall />
        </Link>
      </Table.Td>
      <Table.Td>
        <Link href={pathOf('devices', device.id)} className={classes['name']}>
          {device.name}
        </Link>
        <div className={classes['small']}>
          {[...(device.group === null ? [] : [device.group]), ...device.tags].map((word) => `${word} · `)}
          {presenceWords[device.presence.state]} <ContentSigns conditions={device.conditions} isSmall />
        </div>
      </Table.Td>
      <Table.Td>
        <StreamBadge stream={device.stream} />
        <div className={classes['small']}>
          for <For since={device.stream.since} />
        </div>
      </Table.Td>
      <Table.Td className={classes['number']}>
        {figures.relayBitrate}
        <div className={classes['small']}>{device.relay === null ? '' : figures.size}</div>
      </Table.Td>
      <Table.Td className={classes['number']}>
        {figures.encoderBitrate}
        <div className={classes['small']}>{figures.frames}</div>
      </Table.Td>
      <Table.Td className={classes['number']}>
        {figures.temperature}
        <div className={classes['small']}>load {figures.load}</div>
      </Table.Td>
      <Table.Td>
        <div className={classes['chips']}>
          <ConditionChips conditions={device.conditions} limit={shownConditionsLimit} />
          <SettingsBadge settings={device.settings} />
        </div>
      </Table.Td>
    </Table.Tr>
  );
}

type DeviceTableProps = {
  readonly devices: readonly DeviceSummary[];
  /** Given where devices can be selected. */
  readonly tickOf: ((device: DeviceSummary) => ReactNode) | null;
};

export function DeviceTable({ devices, tickOf }: DeviceTableProps) {
  return (
    <div className={`panel ${classes['frame']}`}>
      <Table.ScrollContainer minWidth={1020}>
        <Table verticalSpacing={8} horizontalSpacing="md" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              {tickOf !== null && (
                <Table.Th className={classes['head']}>
                  <VisuallyHidden>Selected</VisuallyHidden>
                </Table.Th>
              )}
              {columns.map((column) => (
                <Table.Th key={column} className={classes['head']}>
                  {column}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {devices.map((device) => (
              <DeviceRow key={device.id} device={device} tick={tickOf?.(device)} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </div>
  );
}
