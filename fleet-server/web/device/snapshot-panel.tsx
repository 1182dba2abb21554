/** The picture that somebody asked the device for, in full size, until the next one. */
import { Anchor } from '@mantine/core';
import { useState } from 'react';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { pathOf } from '../api/api.ts';
import { Ago } from '../time/times.tsx';
import { Panel } from './panel.tsx';
import classes from './snapshot-panel.module.css';

export function SnapshotPanel({ device }: { readonly device: DeviceDetail }) {
  const { snapshotAt } = device;
  const [failedAt, setFailedAt] = useState<string | null>(null);
  // After its server has been restarted there is none, whatever the page was told before.
  if (snapshotAt === null || failedAt === snapshotAt) return null;
  // The time makes the address new, so that the browser asks again.
  const address = `/api/v1${pathOf('devices', device.id)}/snapshot.jpg?at=${Date.parse(snapshotAt)}`;
  return (
    <Panel title="Snapshot" aside={<Ago at={snapshotAt} />}>
      <Anchor href={address} target="_blank" rel="noreferrer" title="Open it in full size">
        <img
          className={classes['picture']}
          data-testid="snapshot-image"
          src={address}
          alt={`Snapshot of ${device.name}`}
          decoding="async"
          onError={() => setFailedAt(snapshotAt)}
        />
      </Anchor>
    </Panel>
  );
}
