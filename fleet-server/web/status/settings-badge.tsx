/** Shown only while the settings are not what somebody wants them to be. */
import { IconAlertTriangle, IconLoader2 } from '@tabler/icons-react';
import type { SettingsState } from '#protocol/model/device.ts';
import classes from './status.module.css';
import { settingsWords } from './stream-words.ts';

export function SettingsBadge({ settings }: { readonly settings: SettingsState }) {
  if (settings.kind === 'applied') return null;
  const isWrong = settings.kind !== 'pending';
  return (
    <span className={classes['chip']} data-tone={isWrong ? 'warn' : 'starting'} title={settings.reason ?? undefined}>
      {isWrong ? <IconAlertTriangle size={14} aria-hidden /> : <IconLoader2 size={14} className={classes['turning']} aria-hidden />}
      {settingsWords[settings.kind]}
    </span>
  );
}
