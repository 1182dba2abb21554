/**
 * What is wrong with many devices at once, gathered into one alert: a venue without power, a network that is gone. Pure.
 *
 * INVARIANTS
 * - Each device that is gathered is counted in the alert, and named as far as there is room; none is lost.
 * - Who was told of a device by itself is not told of it again because others joined it.
 */
import { type ConditionCode, conditionDefinitions } from '#protocol/conditions.ts';
import type { AlertRule } from '#protocol/model/alert.ts';

/** Something that is wrong with one device by one rule. */
export type DeviceFinding = {
  /** The same as long as it is the same thing. */
  readonly key: string;
  readonly deviceId: string;
  readonly deviceName: string;
  readonly group: string | null;
  readonly cause: 'offline' | ConditionCode;
  readonly title: string;
  readonly detail: string;
};

export type Since<T> = { readonly finding: T; readonly sinceMs: number };

/** What began within this time is one event: the keepalives of one venue run out at different moments. */
export const togetherMs = 30_000;
/** So many devices, and at least this share of a group or of all that a rule watches, are one thing. */
export const mostOf = { group: 3, all: 5, share: 0.5 } as const;
/** So many of no common group at once are one alert all the same. */
export const manyAtOnce = 5;
/** More groups at once than this are one thing that is greater than a venue. */
const groupsAtOnce = 3;

/** `group`: the one that it is about; null: it is about no single one. */
export type Gathering<T> = { readonly group: string | null; readonly members: readonly T[] };

/** `watched`: how many devices the rule watches, in all and of each group. */
export type Watched = { readonly all: number; readonly ofGroup: ReadonlyMap<string | null, number> };

export function gather<T extends { readonly finding: DeviceFinding }>(
  batch: readonly T[],
  watched: Watched,
): { readonly gatherings: readonly Gathering<T>[]; readonly alone: readonly T[] } {
  const isMost = (count: number, least: number, of: number) => count >= least && count >= of * mostOf.share;
  const groups = new Map<string | null, T[]>();
  for (const one of batch) {
    const members = groups.get(one.finding.group);
    if (members === undefined) groups.set(one.finding.group, [one]);
    else members.push(one);
  }
  // All in one group are named by it.
  if (groups.size > 1 && isMost(batch.length, mostOf.all, watched.all)) return { gatherings: [{ group: null, members: batch }], alone: [] };
  const ofGroups: { readonly group: string; readonly members: readonly T[] }[] = [];
  const rest: T[] = [];
  for (const [group, members] of groups) {
    if (group !== null && isMost(members.length, mostOf.group, watched.ofGroup.get(group) ?? 0)) ofGroups.push({ group, members });
    else rest.push(...members);
  }
  const gatherings: Gathering<T>[] =
    ofGroups.length > groupsAtOnce ? [{ group: null, members: ofGroups.flatMap(({ members }) => members) }] : [...ofGroups];
  if (rest.length < manyAtOnce) return { gatherings, alone: rest };
  return { gatherings: [...gatherings, { group: null, members: rest }], alone: [] };
}

/** Which event a gathered alert is about; `number`: of those of one moment. */
export type Event = {
  readonly ruleId: string;
  readonly group: string | null;
  readonly cause: string;
  readonly sinceMs: number;
  readonly number: number;
};

/** No group is named so. */
const noGroup = '*';

export function eventKey({ ruleId, group, cause, sinceMs, number }: Event): string {
  return `${ruleId}/many/${group ?? noGroup}/${cause}/${sinceMs}/${number}`;
}

/** Null: it is the key of something else. */
export function readEventKey(key: string): Event | null {
  const [ruleId = '', subject, group = noGroup, cause = '', since, number] = key.split('/');
  if (subject !== 'many' || number === undefined) return null;
  return { ruleId, group: group === noGroup ? null : group, cause, sinceMs: Number(since), number: Number(number) };
}

/** Whether a device that follows the others belongs to their event. */
export function isOf(event: Event, { finding, sinceMs }: Since<DeviceFinding>): boolean {
  return (
    event.cause === finding.cause &&
    (event.group === null || event.group === finding.group) &&
    sinceMs >= event.sinceMs &&
    sinceMs <= event.sinceMs + togetherMs
  );
}

export function gatheredTitle(rule: AlertRule, group: string | null, findings: readonly DeviceFinding[], watched: Watched): string {
  const place = group ?? rule.group;
  const of = group === null ? watched.all : (watched.ofGroup.get(group) ?? 0);
  const who = `${findings.length} of ${of} devices${place === null ? '' : ` of ${place}`}`;
  const cause = findings[0]?.cause ?? 'offline';
  return cause === 'offline' ? `${who} went offline` : `${who}: ${conditionDefinitions[cause].title}`;
}

/** An alert's detail takes 1000 characters. */
const namesLength = 500;

/** Who it is at this moment, and what to do. */
export function gatheredDetail(findings: readonly DeviceFinding[]): string {
  const named: string[] = [];
  let length = 0;
  // In one order, whatever the store's: what says the same is the same.
  const names = findings.map(({ deviceName }) => deviceName).sort();
  for (const deviceName of names) {
    length += deviceName.length + 2;
    if (length > namesLength) break;
    named.push(deviceName);
  }
  const more = findings.length - named.length;
  const who = `${findings.length} now: ${named.join(', ')}${more === 0 ? '' : ` and ${more} more`}.`;
  const cause = findings[0]?.cause ?? 'offline';
  if (cause === 'offline') return `${who} Look at the network and the power of the venue.`;
  return [who, conditionDefinitions[cause].advice].filter((part) => part !== '').join(' ');
}
