/** The settings of one level: what was typed stays until it is saved or thrown away, whatever the world does meanwhile. */
import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useId, useRef } from 'react';
import type { SettingsPatch } from '#protocol/model/settings.ts';
import type { SettingKey } from '#protocol/settings.ts';
import { ApiProblem } from '../api/api.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { changedKeys, type Draft, type OwnValues, patchOfDraft, problemsByKey, withoutSaved } from './form-values.ts';
import { SettingField } from './setting-field.tsx';
import { settingGroups, shownKeys } from './setting-groups.ts';
import type { Choices } from './setting-input.tsx';
import { isSetSomewhere, type SettingRow } from './setting-row.ts';
import classes from './settings.module.css';

/** `kept`: somebody thought better of it; what was typed stays. */
export type SaveOutcome = 'saved' | 'kept';

export type SettingsFormProps = {
  readonly rows: readonly SettingRow[];
  readonly draft: Draft;
  readonly onDraft: (change: (draft: Draft) => Draft) => void;
  readonly save: (patch: SettingsPatch) => Promise<SaveOutcome>;
  readonly canEdit: boolean;
  /** Whom a saved change is for, to stand beside the button. */
  readonly scopeWords: string;
  readonly choices: { readonly [K in SettingKey]?: Choices };
};

export function SettingsForm({ rows, draft, onDraft, save, canEdit, scopeWords, choices }: SettingsFormProps) {
  const id = useId();
  const rowOf = new Map(rows.map((row) => [row.key, row]));
  const own: OwnValues = Object.fromEntries(rows.flatMap((row) => (row.own === null ? [] : [[row.key, row.own]])));
  const changed = changedKeys(draft, own);
  const isUsed = (key: SettingKey): boolean => {
    const row = rowOf.get(key);
    return (draft[key] ?? '') !== '' || (row !== undefined && isSetSomewhere(row));
  };
  const checked = patchOfDraft(draft, own);
  const saving = useMutation({
    mutationFn: async ({ patch, saved }: { patch: SettingsPatch; saved: Draft }) => {
      if ((await save(patch)) === 'saved') onDraft((now) => withoutSaved(now, saved));
    },
  });
  const refused = saving.error instanceof ApiProblem ? problemsByKey(saving.error.problems) : {};
  const problems = checked.kind === 'problems' ? checked.problems : refused;
  const problemCount = Object.keys(problems).length;
  const form = useRef<HTMLFormElement>(null);
  // The field that the server refused may be far from the button.
  useEffect(() => {
    if (saving.isError) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [saving.isError]);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (checked.kind === 'patch') saving.mutate({ patch: checked.patch, saved: draft });
  };
  const setText = (key: SettingKey, text: string | undefined): void => {
    saving.reset();
    onDraft(({ [key]: _before, ...others }) => (text === undefined ? others : { ...others, [key]: text }));
  };
  const countWords = changed.length === 0 ? 'No changes' : `${changed.length} unsaved ${changed.length === 1 ? 'change' : 'changes'}`;

  return (
    <form ref={form} onSubmit={submit} noValidate>
      {!canEdit && <p className="dim">Your role may look at the settings; operators and admins change them.</p>}
      {settingGroups().map(({ title, keys }) => (
        <fieldset key={title} className={classes['group']} aria-labelledby={`${id}-${title}`}>
          <h3 id={`${id}-${title}`} className={classes['groupTitle']}>
            {title}
          </h3>
          <div className={classes['fields']}>
            {shownKeys(keys, isUsed).map((key) => {
              const row = rowOf.get(key);
              if (row === undefined) return null;
              return (
                <SettingField
                  key={key}
                  row={row}
                  text={draft[key]}
                  isChanged={changed.includes(key)}
                  isSaving={saving.isPending}
                  choices={choices[key] ?? []}
                  error={problems[key]}
                  isReadOnly={!canEdit}
                  onText={(text) => setText(key, text)}
                />
              );
            })}
          </div>
        </fieldset>
      ))}
      {saving.isError && problemCount === 0 && <ProblemAlert title="Not saved" error={saving.error} />}
      {canEdit && (
        <div className={classes['bar']} data-changed={changed.length > 0}>
          <span role="status">
            {countWords}
            {changed.length > 0 && <span className="dim">{` for ${scopeWords}`}</span>}
            {problemCount > 0 && (
              <strong className={classes['wrong']}>{problemCount === 1 ? 'One value is wrong' : `${problemCount} values are wrong`}</strong>
            )}
          </span>
          <Button type="button" variant="default" disabled={changed.length === 0 || saving.isPending} onClick={() => onDraft(() => ({}))}>
            Discard
          </Button>
          <Button type="submit" loading={saving.isPending} disabled={checked.kind !== 'patch'}>
            Save
          </Button>
        </div>
      )}
    </form>
  );
}
