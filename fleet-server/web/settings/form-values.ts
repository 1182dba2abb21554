/** From what was typed to what is sent. Pure. */
import type { SettingsPatch, ShownValue } from '#protocol/model/settings.ts';
import { isSettingKey, parseSetting, type SettingKey } from '#protocol/settings.ts';
import { remoteProblem } from '#protocol/stream-address.ts';
import { fieldText } from './setting-words.ts';

/** What somebody typed and has not saved yet; the empty text unsets. */
export type Draft = { readonly [K in SettingKey]?: string };

/** What is set at the level that the form edits. */
export type OwnValues = { readonly [K in SettingKey]?: ShownValue };

export type PatchOfDraft =
  | { readonly kind: 'patch'; readonly patch: SettingsPatch }
  | { readonly kind: 'problems'; readonly problems: FieldProblems }
  | { readonly kind: 'nothing' };

export type FieldProblems = { readonly [K in SettingKey]?: string };

/** Typed back to what it was: nothing to save. A secret is never equal to what is set, as nobody can see that. */
export function isChanged(own: ShownValue | undefined, text: string | undefined): boolean {
  if (text === undefined) return false;
  if (own?.kind === 'secret') return true;
  return text.trim() !== fieldText(own);
}

export function changedKeys(draft: Draft, own: OwnValues): readonly SettingKey[] {
  return Object.keys(draft).filter((key): key is SettingKey => isSettingKey(key) && isChanged(own[key], draft[key]));
}

export function patchOfDraft(draft: Draft, own: OwnValues): PatchOfDraft {
  const patch: SettingsPatch = {};
  const problems: { [K in SettingKey]?: string } = {};
  for (const key of changedKeys(draft, own)) {
    const parsed = parseSetting(key, (draft[key] ?? '').trim());
    const refused = parsed.kind === 'value' ? remoteProblem(key, parsed.value) : null;
    if (parsed.kind === 'problem') problems[key] = `Expected ${parsed.problem.expected}.`;
    else if (refused !== null) problems[key] = `Expected ${refused.expected}.`;
    else patch[key] = parsed.kind === 'value' ? parsed.value : null;
  }
  if (Object.keys(problems).length > 0) return { kind: 'problems', problems };
  return Object.keys(patch).length === 0 ? { kind: 'nothing' } : { kind: 'patch', patch };
}

/** What the server said of single fields; it names them by their key, with the place in the request in front or not. */
export function problemsByKey(problems: readonly { readonly key: string; readonly expected: string }[]): FieldProblems {
  const byKey: { [K in SettingKey]?: string } = {};
  for (const { key, expected } of problems) {
    const name = key.split(/[/.]/).at(-1) ?? key;
    if (isSettingKey(name)) byKey[name] = `Expected ${expected}.`;
  }
  return byKey;
}

/** After saving: what was saved is no draft any more, what was typed meanwhile still is. */
export function withoutSaved(draft: Draft, saved: Draft): Draft {
  return Object.fromEntries(Object.entries(draft).filter(([key, text]) => !(isSettingKey(key) && saved[key] === text)));
}
