/** What revisions show, and what undoing one sets. A secret is shown as one, and never with its value. */
import { timestamp } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { openValue, type StoredRevision } from '#fleet-server/settings/revisions-store.ts';
import { isSecret, type StoredSetting } from '#fleet-server/settings/settings-store.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { RevisionChange, RevisionPage, SettingsPatch, ShownValue } from '#protocol/model/settings.ts';
import type { SettingProblem, SettingValue } from '#protocol/settings.ts';
import { shownSetting } from '#protocol/stream-address.ts';

export function revisionPage(rows: readonly StoredRevision[], limit: number): RevisionPage {
  const revisions = rows.slice(0, limit).map((row) => ({
    number: row.number,
    at: timestamp(row.changedAtMs),
    by: row.changedBy,
    comment: row.comment,
    undoes: row.undoes,
    changes: row.changes.map(({ key, before, after }) => ({ key, before: shownText(key, before), after: shownText(key, after) })),
  }));
  return { revisions, next: rows.length > limit ? (revisions.at(-1)?.number ?? null) : null };
}

/** What a patch does at its own level. */
export function levelChanges(keys: readonly string[], before: readonly StoredSetting[], after: readonly StoredSetting[]): RevisionChange[] {
  return keys.flatMap((key) => {
    const was = before.find((setting) => setting.key === key)?.value ?? null;
    const is = after.find((setting) => setting.key === key)?.value ?? null;
    return was === is ? [] : [{ key, before: shownOf(key, was), after: shownOf(key, is) }];
  });
}

export function valuesBefore(revision: StoredRevision, secrets: Secrets): SettingsPatch {
  return Object.fromEntries(
    revision.changes.map(({ key, before }): [string, SettingValue | null] => {
      const opened = openValue(secrets, key, before);
      if (opened !== 'lost') return [key, opened.value];
      throw new FleetError('not-kept', `What ${key} was before revision ${revision.number} was not kept at that time: set it anew.`);
    }),
  );
}

export type LaterChange = { readonly key: string; readonly number: number };

export function changedSince(number: number, since: readonly LaterChange[]): FleetError {
  const list = since.map(({ key, number: later }) => `${key} in revision ${later}`).join(', ');
  return new FleetError(
    'changed-since',
    `Nothing was changed: since revision ${number} there was a change of ${list}. Undo that first, or ask with "override": true.`,
    { problems: laterProblems(number, since) },
  );
}

export function laterProblems(number: number, since: readonly LaterChange[]): SettingProblem[] {
  return since.map((at) => ({
    key: at.key,
    expected: `unchanged since revision ${number}`,
    came: `changed in revision ${at.number}`,
  }));
}

export function nothingToUndo(number: number): FleetError {
  return new FleetError('nothing-to-undo', `Everything is as it was before revision ${number} already.`);
}

/** As an older version kept it, without what is not shown today. */
export function shownAgain(key: string, kept: ShownValue | null): ShownValue | null {
  return kept?.kind === 'plain' ? shownOf(key, kept.value) : kept;
}

export function shownOf(key: string, value: SettingValue | null): ShownValue | null {
  if (value === null) return null;
  return isSecret(key) ? { kind: 'secret', setAt: null } : { kind: 'plain', value: shownSetting(key, value) };
}

function shownText(key: string, text: string | null): ShownValue | null {
  if (text === null) return null;
  return isSecret(key) ? { kind: 'secret', setAt: null } : { kind: 'plain', value: shownSetting(key, JSON.parse(text) as SettingValue) };
}
