/** From what was typed to what is sent. Pure. */
import type { SettingsPatch, ShownValue } from '#protocol/model/settings.ts';
import { type SettingKey } from '#protocol/settings.ts';
/** What somebody typed and has not saved yet; the empty text unsets. */
export type Draft = {
    readonly [K in SettingKey]?: string;
};
/** What is set at the level that the form edits. */
export type OwnValues = {
    readonly [K in SettingKey]?: ShownValue;
};
export type PatchOfDraft = {
    readonly kind: 'patch';
    readonly patch: SettingsPatch;
} | {
    readonly kind: 'problems';
    readonly problems: FieldProblems;
} | {
    readonly kind: 'nothing';
};
export type FieldProblems = {
    readonly [K in SettingKey]?: string;
};
/** Typed back to what it was: nothing to save. A secret is never equal to what is set, as nobody can see that. */
export declare function isChanged(own: ShownValue | undefined, text: string | undefined): boolean;
export declare function changedKeys(draft: Draft, own: OwnValues): readonly SettingKey[];
export declare function patchOfDraft(draft: Draft, own: OwnValues): PatchOfDraft;
/** What the server said of single fields; it names them by their key, with the place in the request in front or not. */
export declare function problemsByKey(problems: readonly {
    readonly key: string;
    readonly expected: string;
}[]): FieldProblems;
/** After saving: what was saved is no draft any more, what was typed meanwhile still is. */
export declare function withoutSaved(draft: Draft, saved: Draft): Draft;
