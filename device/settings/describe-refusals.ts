import type { SettingRefusal } from '#protocol/messages.ts';

/** For a line of the log or of the history. A reason that names its key already is not given the name twice. */
export function describeRefusals(refusals: readonly SettingRefusal[]): string {
  return refusals.map(({ key, reason }) => (reason.startsWith(key) ? reason : `${key}: ${reason}`)).join('; ');
}
