/** Names of groups, and tags, from what was typed. Pure. */

export const maxWordLength = 40;
export const maxTags = 20;

/** What a group's name and a tag may consist of: what else is typed becomes a hyphen. */
export function asWord(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .replace(/^-+/, '');
}

/** Each once, without what is left empty. */
export function asWords(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.map(asWord).filter((word) => word !== ''))];
}
