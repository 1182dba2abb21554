/**
 * Faults of the product itself, made on purpose: what a run looks for must be able to fail. Each breaks one promise, in the place where the
 * product keeps it.
 */
export const sabotages = {
  'event acknowledged before it is stored': /were lost/,
  'event stored each time it comes': /once/,
  'command forgotten by the device': /was begun \d+ times/,
  'setting answered before it is stored': /to hold/,
  'older settings after a power cut': /only to grow/,
  'closed connection not noticed': /shown as gone/,
  'silent connection not noticed': /not to be shown as online/,
  'gone at once after a restart of the server': /unknown until its keepalive/,
  'connection not shown': /to be shown as online/,
  'credential logged': /no secret/,
  'secret stored as it is': /no secret/,
  'newest settings not sent': /at revision/,
} as const satisfies Record<string, RegExp>;

export type Sabotage = keyof typeof sabotages;
