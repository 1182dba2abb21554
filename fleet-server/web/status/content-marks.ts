/** What is wrong with the sound and the picture themselves, as signs small enough for a list. Pure. */
import type { Condition } from '#protocol/conditions.ts';
import { shownConditions } from './conditions.ts';

const marked = ['audio-silent', 'picture-black', 'picture-frozen'] as const;

export type ContentMark = { readonly code: (typeof marked)[number]; readonly title: string };

/** In one order, so that the same fault has the same place everywhere. */
export function contentMarks(conditions: readonly Condition[]): readonly ContentMark[] {
  const shown = shownConditions(conditions);
  return marked.flatMap((code) => {
    const condition = shown.find((candidate) => candidate.code === code);
    return condition === undefined ? [] : [{ code, title: condition.title }];
  });
}
