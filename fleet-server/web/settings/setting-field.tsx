/** One setting: its field, what is in force and from where, and why it is not what was asked for. */
import { useId } from 'react';
import type { SettingLevel } from '#protocol/settings.ts';
import { definitionOf } from './setting-groups.ts';
import { type Choices, SettingInput } from './setting-input.tsx';
import type { SettingRow } from './setting-row.ts';
import { SettingState, type ShownState } from './setting-state.tsx';
import { levelWords } from './setting-words.ts';
import classes from './settings.module.css';

export type SettingFieldProps = {
  readonly row: SettingRow;
  readonly text: string | undefined;
  readonly isChanged: boolean;
  readonly isSaving: boolean;
  readonly choices: Choices;
  readonly error: string | undefined;
  readonly isReadOnly: boolean;
  readonly onText: (text: string | undefined) => void;
};

function LevelBadge({ level }: { readonly level: SettingLevel }) {
  return (
    <span className={classes['level']} data-level={level}>
      {levelWords[level]}
    </span>
  );
}

function shownState(row: SettingRow, isChanged: boolean, isSaving: boolean): ShownState {
  if (isChanged) return isSaving ? 'saving' : 'unsaved';
  if (row.device !== null) return row.device.state;
  return row.own === null ? 'unset' : 'set';
}

export function SettingField({ row, text, isChanged, isSaving, choices, error, isReadOnly, onText }: SettingFieldProps) {
  const id = useId();
  const { key, device, warning, origin } = row;
  const { title, description } = definitionOf(key);
  return (
    <div className={classes['field']} data-testid={`setting-${key}`}>
      <div className={classes['label']}>
        <label htmlFor={id}>
          {title} <code>{key}</code>
        </label>
        <SettingState name={key} state={shownState(row, isChanged, isSaving)} />
      </div>
      <SettingInput
        id={id}
        row={row}
        text={text}
        choices={choices}
        error={error}
        describedBy={`${id}-words`}
        isReadOnly={isReadOnly}
        onText={onText}
      />
      {device !== null && (
        <p className={classes['force']}>
          <span>In force: </span>
          <b className="figure">{device.inForce}</b>
          {device.inForceLevel !== null && <LevelBadge level={device.inForceLevel} />}
          {device.wanted !== null && (
            <span className={classes['wanted']}>
              {'wanted: '}
              <b className="figure">{device.wanted.words}</b>
              <LevelBadge level={device.wanted.level} />
            </span>
          )}
        </p>
      )}
      {device?.reason !== undefined && device.reason !== null && <p className={classes['reason']}>{device.reason}</p>}
      {warning !== null && <p className={classes['warning']}>{warning}</p>}
      {origin !== null && <p className={classes['origin']}>{origin}</p>}
      <p className={classes['description']} id={`${id}-words`}>
        {description}
      </p>
    </div>
  );
}
