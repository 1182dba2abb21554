/** The field of one setting. Empty means: nothing is set at this level, and the placeholder says what holds then. */
import { ActionIcon, Autocomplete, NativeSelect, TextInput, type TextInputProps, Tooltip } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import type { SettingKey } from '#protocol/settings.ts';
import { definitionOf } from './setting-groups.ts';
import type { SettingRow } from './setting-row.ts';
import { fieldText, shownWords } from './setting-words.ts';
import classes from './settings.module.css';

/** What may be chosen from, with a word on each. */
export type Choices = readonly { readonly value: string; readonly words: string }[];

export type SettingInputProps = {
  readonly id: string;
  readonly row: SettingRow;
  /** What was typed; undefined while nobody did. */
  readonly text: string | undefined;
  readonly choices: Choices;
  readonly error: string | undefined;
  readonly describedBy: string;
  readonly isReadOnly: boolean;
  readonly onText: (text: string | undefined) => void;
};

const unitWords = (key: SettingKey): string | undefined => {
  const { unit } = definitionOf(key);
  return unit === '1/s' ? 'fps' : unit;
};

export function SettingInput({ id, row, text, choices, error, describedBy, isReadOnly, onText }: SettingInputProps) {
  const { key, own, inherited } = row;
  const { secret, shape, title } = definitionOf(key);
  const value = text ?? fieldText(own ?? undefined);
  const isOverride = text === undefined ? own !== null : text !== '';
  const unit = unitWords(key);

  const unset = isOverride && !isReadOnly && (
    <Tooltip label="Back to inherited" position="top">
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`Unset ${title}`} onClick={() => onText('')}>
        <IconArrowBackUp size={16} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );

  const common = {
    id,
    value,
    error: error ?? false,
    disabled: isReadOnly,
    'aria-describedby': describedBy,
    rightSection: (
      <span className={classes['section']}>
        {unset}
        {unit !== undefined && <span className="dim">{unit}</span>}
      </span>
    ),
    rightSectionWidth: (unit === undefined ? 8 : 14 + unit.length * 7.5) + (isOverride ? 28 : 0),
    rightSectionPointerEvents: 'all',
  } as const satisfies Partial<TextInputProps>;

  if (shape.kind === 'boolean') {
    const { rightSection: _section, rightSectionWidth: _width, rightSectionPointerEvents: _events, ...plain } = common;
    return (
      <NativeSelect
        {...plain}
        data={[
          { value: '', label: `Inherited (${inherited})` },
          { value: '1', label: 'Yes' },
          { value: '0', label: 'No' },
        ]}
        onChange={(event) => onText(event.currentTarget.value)}
      />
    );
  }
  if (secret) {
    const isSet = own?.kind === 'secret';
    const placeholder =
      text === '' ? 'Will be unset' : isSet ? `${capital(shownWords(key, own, 'device'))}: type to replace` : capital(inherited);
    return (
      <TextInput
        {...common}
        type="password"
        autoComplete="off"
        data-1p-ignore
        data-lpignore="true"
        placeholder={placeholder}
        // Typed and deleted again is no wish to unset: there is a button for that.
        onChange={(event) => onText(event.currentTarget.value === '' ? undefined : event.currentTarget.value)}
      />
    );
  }
  const shared = {
    ...common,
    placeholder: shape.kind === 'integer' ? inherited.replace(/ .*$/, '') : inherited,
    autoComplete: 'off',
    spellCheck: false,
  };
  if (choices.length > 0) {
    const wordsOf = new Map(choices.map((choice) => [choice.value, choice.words]));
    return (
      <Autocomplete
        {...shared}
        data={choices.map((choice) => choice.value)}
        filter={({ options }) => options}
        renderOption={({ option }) => (
          <div className={classes['option']}>
            <span>{wordsOf.get(option.value)}</span>
            <code>{option.value}</code>
          </div>
        )}
        onChange={onText}
      />
    );
  }
  return (
    <TextInput
      {...shared}
      inputMode={shape.kind === 'integer' ? 'numeric' : 'text'}
      onChange={(event) => onText(event.currentTarget.value)}
    />
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
