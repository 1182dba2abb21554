/** The picture, how the device is, and where its stream goes. */
import type { DeviceDetail } from '#protocol/model/device.ts';
import { ConditionsPanel } from './conditions-panel.tsx';
import classes from './device-page.module.css';
import { BoardPanel, StreamPanel } from './facts-panels.tsx';
import { HealthCharts } from './health-charts.tsx';
import { OutputsPanel } from './outputs-panel.tsx';
import { Player } from './player.tsx';
import { SoundPanel } from './sound-panel.tsx';

export function Overview({ device }: { readonly device: DeviceDetail }) {
  return (
    <div className={classes['columns']}>
      <div className={classes['main']}>
        <div className={classes['place1']}>
          <Player device={device} />
        </div>
        <div className={classes['place3']}>
          <HealthCharts id={device.id} />
        </div>
        <div className={classes['place5']}>
          <OutputsPanel device={device} />
        </div>
      </div>
      <div className={classes['side']}>
        <div className={classes['place2']}>
          <ConditionsPanel device={device} />
        </div>
        <div className={classes['place4']}>
          <SoundPanel device={device} />
          <StreamPanel device={device} />
        </div>
        <div className={classes['place6']}>
          <BoardPanel device={device} />
        </div>
      </div>
    </div>
  );
}
