/** Entries of the audit log in plain words. Pure. */
import type { AuditChange, AuditEntry } from '#protocol/model/audit.ts';
import { isSettingKey, settingDefinitions } from '#protocol/settings.ts';
import { inWords } from '../status/conditions.ts';

/** What stands between who did it and whom or what it was done to. */
const verbs: Readonly<Record<string, string>> = {
  'signed-in': 'signed in',
  'sign-in-refused': 'was refused at signing in',
  'password-changed': 'changed the password of',
  'person-added': 'added the person',
  'person-changed': 'changed the person',
  'person-removed': 'removed the person',
  'token-made': 'made the access token',
  'token-removed': 'revoked the access token',
  'join-token-made': 'made the join token',
  'join-token-removed': 'took back the join token',
  'device-joined': 'let in the device',
  'device-approved': 'approved the device',
  'device-rejected': 'rejected the device',
  'device-blocked': 'blocked the device',
  'device-let-in-again': 'let in again the device',
  'device-board-changed': 'said on which board runs the device',
  'device-changed': 'changed the device',
  'devices-tagged': 'changed the tags of',
  'devices-moved': 'changed the group of',
  'group-renamed': 'renamed the group',
  'device-removed': 'removed the device',
  'credential-changed': 'changed the credential of',
  'rollout-begun': 'began a roll-out to',
  'rollout-halted': 'halted the roll-out to',
  'rollout-resumed': 'resumed the roll-out to',
  'rollout-completed': 'completed the roll-out to',
  'rollout-rolled-back': 'rolled back the roll-out to',
  'settings-changed': 'changed settings of',
  'maintenance-created': 'opened a maintenance window for',
  'maintenance-changed': 'changed a maintenance window of',
  'maintenance-ended': 'ended a maintenance window of',
  'watchdog-policy-changed': 'changed the watchdog’s policy of',
  'command-requested': 'sent a command to',
  'command-withdrawn': 'took back a command to',
  'alert-rule-added': 'added the alert rule',
  'alert-rule-changed': 'changed the alert rule',
  'alert-rule-removed': 'removed the alert rule',
  'alert-channel-added': 'added the alert channel',
  'alert-channel-changed': 'changed the alert channel',
  'alert-channel-removed': 'removed the alert channel',
  'alert-acknowledged': 'acknowledged the alert',
  'audit-log-shortened': 'dropped the oldest entries of the',
};

/** What one may look for, by its words. */
export const actionChoices = Object.entries(verbs)
  .map(([value, words]) => ({ value, label: words }))
  .toSorted((a, b) => (a.label < b.label ? -1 : 1));

export function verbOf(action: string): string {
  return Object.hasOwn(verbs, action) ? (verbs[action] ?? action) : `${inWords(action)}:`;
}

/** Somebody did it to themselves: the name need not stand there twice. */
export function isAboutItself({ action, actor, subject }: AuditEntry): boolean {
  return (action === 'signed-in' || action === 'sign-in-refused') && actor === subject;
}

/** What was made anew had no values before: only those it got are worth a word. */
export function makesNew(action: string): boolean {
  return /-(added|made|joined|requested)$/.test(action);
}

export type Names = ReadonlyMap<string, string>;
export type ShownChange = { readonly field: string; readonly before: string | null; readonly after: string | null };

/** A document that was changed is shown as its fields that differ; ids are shown as names where these are known. */
export function shownChanges(changes: readonly AuditChange[], names: Names): readonly ShownChange[] {
  const parts = changes.flatMap((change) => partsOf(change)).filter(({ before, after }) => before !== null || after !== null);
  return parts.map(({ field, before, after }) => ({
    field: fieldWords(field),
    before: named(before, names),
    after: named(after, names),
  }));
}

function partsOf(change: AuditChange): readonly AuditChange[] {
  const before = documentOf(change.before);
  const after = documentOf(change.after);
  if ((before ?? after) === null || (change.before !== null && before === null) || (change.after !== null && after === null))
    return [change];
  const fields = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  fields.delete('id');
  return [...fields]
    .map((field) => ({ field, before: before?.[field] ?? null, after: after?.[field] ?? null }))
    .filter((part) => part.before !== part.after);
}

/** An object's fields as texts, those of objects within it with their way; null when it is none, or was cut. */
function documentOf(text: string | null): Record<string, string> | null {
  if (text === null || !text.startsWith('{')) return null;
  try {
    const flat: Record<string, string> = {};
    flatten('', JSON.parse(text), flat);
    return flat;
  } catch {
    return null;
  }
}

function flatten(way: string, value: unknown, into: Record<string, string>): void {
  if (value === null || value === undefined) return;
  if (Array.isArray(value)) {
    if (value.length > 0) into[way] = value.map(String).join(', ');
  } else if (typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) flatten(way === '' ? key : `${way}.${key}`, inner, into);
  } else {
    into[way] = String(value);
  }
}

function named(text: string | null, names: Names): string | null {
  if (text === null) return null;
  return text
    .split(', ')
    .map((part) => names.get(part) ?? part)
    .join(', ');
}

const fields: Readonly<Record<string, string>> = {
  expiresAt: 'ends',
  forS: 'for at least (s)',
  channelIds: 'told to',
  'escalation.afterS': 'told further after (s)',
  'escalation.channelIds': 'told further to',
};

/** "quietHours.timeZone" -> "quiet hours, time zone"; a setting has its title. */
function fieldWords(field: string): string {
  if (isSettingKey(field)) return settingDefinitions[field].title;
  if (Object.hasOwn(fields, field)) return fields[field] ?? field;
  return field
    .split('.')
    .map((part) => part.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))
    .join(', ');
}

/** ISO times within a change are shown as the reader's own. */
export function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text);
}
