/** A device's tags as the store keeps them: each word once, in order, with a space before and after, so that one word is found by itself. Pure. */

export function writeTags(tags: readonly string[]): string {
  const words = [...new Set(tags)].toSorted();
  return words.length === 0 ? '' : ` ${words.join(' ')} `;
}

export function readTags(stored: string): string[] {
  return stored.split(' ').filter((word) => word !== '');
}

/** As the audit log names them; null: none. */
export function tagsInWords(stored: string): string | null {
  return stored === '' ? null : stored.trim();
}
