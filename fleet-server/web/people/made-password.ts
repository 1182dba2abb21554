/** A password for somebody who forgot theirs, made in the browser. Pure. */

/** Without letters and digits that look like another. 32 of them: each byte is used in whole. */
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789-';
export const passwordBytes = 20;

/** 5 bits a character: 100 bits of `passwordBytes` random bytes. */
export function passwordOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
}
