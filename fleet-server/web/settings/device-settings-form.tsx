/** The settings of one device, to be changed for it alone, for its group or for the whole fleet. */
import { SegmentedControl, Skeleton } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { DeviceDetail } from '#protocol/model/device.ts';
import { DeviceSettings, type SettingsPatch } from '#protocol/model/settings.ts';
import { send } from '../api/api.ts';
import { type EditedLevel, levelPath, settingsQuery } from '../api/queries.ts';
import { queryKeys } from '../api/query-keys.ts';
import { Panel } from '../device/panel.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useMay } from '../session/person.tsx';
import { SettingsBadge } from '../status/settings-badge.tsx';
import { deviceChoices } from './device-choices.ts';
import type { Draft } from './form-values.ts';
import { deviceRow } from './setting-row.ts';
import classes from './settings.module.css';
import { type SaveOutcome, SettingsForm } from './settings-form.tsx';
import { useLevelSave } from './use-level-save.tsx';

/** What was typed at one level is kept while another is looked at. */
export type Drafts = { readonly [Level in EditedLevel]: Draft };
export const noDrafts: Drafts = { device: {}, group: {}, fleet: {} };

type DeviceSettingsFormProps = {
  readonly device: DeviceDetail;
  readonly drafts: Drafts;
  readonly onDrafts: (change: (drafts: Drafts) => Drafts) => void;
};

export function DeviceSettingsForm({ device, drafts, onDrafts }: DeviceSettingsFormProps) {
  const client = useQueryClient();
  const canEdit = useMay('operator');
  const settings = useQuery(settingsQuery(device.id));
  const [wantedLevel, setLevel] = useState<EditedLevel>('device');
  const { group } = device;
  const levelSave = useLevelSave({ id: device.id, name: device.name });
  const level = wantedLevel === 'group' && group === null ? 'device' : wantedLevel;

  const save = async (patch: SettingsPatch): Promise<SaveOutcome> => {
    // Many may be touched: that is looked at first, and can be done in waves.
    if (level !== 'device') return levelSave.ask({ level, scope: level === 'group' ? (group ?? '') : '', patch });
    const queryKey = queryKeys.settings(device.id);
    const answer = await send('PATCH', levelPath('device', device.id), patch, DeviceSettings);
    // An older answer that is still on its way must not overwrite this one.
    await client.cancelQueries({ queryKey });
    client.setQueryData(queryKey, answer);
    await client.invalidateQueries({ queryKey: queryKeys.revisions('device', device.id) });
    return 'saved';
  };

  if (settings.data === undefined) {
    return settings.isError ? (
      <ProblemAlert title="The settings cannot be read" error={settings.error} onRetry={() => void settings.refetch()} />
    ) : (
      <Skeleton h={420} radius="lg" />
    );
  }
  const { state, desiredRevision, appliedRevision, reason, driftedSince } = settings.data;
  const levels: { readonly value: EditedLevel; readonly label: string }[] = [
    { value: 'device', label: 'This device' },
    ...(group === null ? [] : [{ value: 'group' as const, label: `Group ${group}` }]),
    { value: 'fleet', label: 'Whole fleet' },
  ];
  const scopeWords = { device: device.name, group: `every device of ${group}`, fleet: 'every device of the fleet' }[level];
  const revisionWords =
    desiredRevision === appliedRevision ? `Revision ${appliedRevision}` : `Revision ${desiredRevision}; in force: ${appliedRevision}`;

  return (
    <Panel
      title="Settings"
      aside={
        <div className={classes['overall']} data-testid="settings-state" data-state={state}>
          <SettingsBadge settings={{ kind: state, desiredRevision, appliedRevision, reason, driftedSince }} />
          <span className="figure">{revisionWords}</span>
        </div>
      }
    >
      {(state === 'refused' || state === 'drifted') && reason !== null && <p className={classes['reason']}>{reason}</p>}
      {canEdit && (
        <div className={classes['levels']}>
          <span id="settings-level">Change for</span>
          <SegmentedControl<EditedLevel> aria-labelledby="settings-level" size="xs" value={level} onChange={setLevel} data={levels} />
        </div>
      )}
      <SettingsForm
        key={level}
        rows={settings.data.settings.map((setting) => deviceRow(setting, level)).filter((row) => row !== null)}
        draft={drafts[level]}
        onDraft={(change) => onDrafts((now) => ({ ...now, [level]: change(now[level]) }))}
        save={save}
        canEdit={canEdit}
        scopeWords={scopeWords}
        choices={level === 'device' ? deviceChoices(device.inventory) : {}}
      />
      {levelSave.dialog}
    </Panel>
  );
}
