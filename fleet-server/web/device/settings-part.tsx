/** The device's settings, what was changed for it, and its picture beside them. */
import type { DeviceDetail } from '#protocol/model/device.ts';
import { PreviewImage } from '../devices/preview-image.tsx';
import { DeviceSettingsForm, type Drafts } from '../settings/device-settings-form.tsx';
import { RevisionsPanel } from '../settings/revisions-panel.tsx';
import classes from './device-page.module.css';

type SettingsPartProps = {
  readonly device: DeviceDetail;
  readonly drafts: Drafts;
  readonly onDrafts: (change: (drafts: Drafts) => Drafts) => void;
};

export function SettingsPart({ device, drafts, onDrafts }: SettingsPartProps) {
  return (
    <div className={classes['columns']}>
      <div className={classes['main']}>
        <div className={classes['place2']}>
          <DeviceSettingsForm device={device} drafts={drafts} onDrafts={onDrafts} />
        </div>
      </div>
      <div className={classes['side']}>
        <div className={classes['place1']}>
          <div className={classes['preview']}>
            <PreviewImage device={device} />
          </div>
        </div>
        <div className={classes['place3']}>
          <RevisionsPanel level="device" scope={device.id} title="Changed for this device" />
        </div>
      </div>
    </div>
  );
}
