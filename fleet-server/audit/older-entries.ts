/**
 * Entries of the audit log from versions that did not take a web address for a secret. They are never changed in the store, and never
 * shown as they stand there. Pure.
 */
import type { AuditChange } from '#protocol/model/audit.ts';
import { addressWithoutSecrets } from '#protocol/settings.ts';
import { shownSetting } from '#protocol/stream-address.ts';

/** What the entries of today have in place of what is not shown. */
const leftOut = '…';

export function shownChange(action: string, { field, before, after }: AuditChange): AuditChange {
  if (action === 'settings-changed') return { field, before: shownText(field, before), after: shownText(field, after) };
  if (!action.startsWith('alert-channel-') || field !== 'target') return { field, before, after };
  return { field, before: withoutAddress(before), after: withoutAddress(after) };
}

function shownText(key: string, text: string | null): string | null {
  return text === null ? null : String(shownSetting(key, text));
}

/** The target is JSON, which those versions cut off at 500 characters. */
function withoutAddress(target: string | null): string | null {
  if (target === null) return null;
  return target.replace(/("url":")([^"]*)/, (whole, name: string, url: string) =>
    url.includes(leftOut) ? whole : name + addressWithoutSecrets(url),
  );
}
