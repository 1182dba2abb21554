/** The order of the list, its counts and its filter. Pure. */
import type { DeviceSummary } from '#protocol/model/device.ts';
import { shownConditions } from '../status/conditions.ts';
import { type StreamKind, streamKinds, streamWords } from '../status/stream-words.ts';

/** What needs somebody most comes first. A lower number is worse. */
export function urgency(device: Pick<DeviceSummary, 'stream' | 'conditions' | 'settings'>): number {
  const ofStream: { readonly [Kind in StreamKind]: number } = {
    failed: 0,
    'no-signal': 0,
    'not-arriving': 1,
    offline: 2,
    unknown: 4,
    starting: 5,
    elsewhere: 7,
    stopped: 8,
    live: 9,
  };
  const worst = shownConditions(device.conditions)[0]?.severity;
  const ofConditions = worst === 'critical' ? 3 : worst === 'warning' ? 6 : 9;
  const ofSettings = device.settings.kind === 'refused' || device.settings.kind === 'drifted' ? 6 : 9;
  return Math.min(ofStream[device.stream.kind], ofConditions, ofSettings);
}

export function worstFirst<Device extends DeviceSummary>(devices: readonly Device[]): readonly Device[] {
  return devices
    .map((device) => ({ device, urgency: urgency(device) }))
    .sort(
      (a, b) =>
        a.urgency - b.urgency ||
        a.device.name.localeCompare(b.device.name, undefined, { numeric: true }) ||
        a.device.id.localeCompare(b.device.id),
    )
    .map(({ device }) => device);
}

export type KindCount = { readonly kind: StreamKind; readonly count: number };

/** How many devices are in each state, worst first; states that none is in are left out. */
export function countsByKind(devices: readonly Pick<DeviceSummary, 'stream'>[]): readonly KindCount[] {
  return streamKinds
    .map((kind) => ({ kind, count: devices.filter(({ stream }) => stream.kind === kind).length }))
    .filter(({ count }) => count > 0);
}

export type Newcomer<Device> = Device & { readonly waitingSince: string };

/** Those that wait for a person to let them in, who has waited longest first. */
export function newcomersOf<Device extends Pick<DeviceSummary, 'waitingSince'>>(devices: readonly Device[]): readonly Newcomer<Device>[] {
  return devices
    .flatMap((device) => (device.waitingSince === null ? [] : [{ ...device, waitingSince: device.waitingSince }]))
    .toSorted((a, b) => Date.parse(a.waitingSince) - Date.parse(b.waitingSince));
}

export type TagCount = { readonly tag: string; readonly count: number };

/** The tags that there are, by name. */
export function countsByTag(devices: readonly Pick<DeviceSummary, 'tags'>[]): readonly TagCount[] {
  const counts = new Map<string, number>();
  for (const tag of devices.flatMap(({ tags }) => tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].map(([tag, count]) => ({ tag, count })).toSorted((a, b) => (a.tag < b.tag ? -1 : 1));
}

export type Filter = { readonly text: string; readonly kind: StreamKind | null; readonly tag: string | null };

/** Every word must be in the name, id, group, tags, board, camera or state. */
export function matches(device: DeviceSummary, { text, kind, tag }: Filter): boolean {
  if (kind !== null && device.stream.kind !== kind) return false;
  if (tag !== null && !device.tags.includes(tag)) return false;
  const haystack = [
    device.name,
    device.id,
    device.group ?? '',
    ...device.tags,
    device.boardName ?? '',
    device.source?.label ?? '',
    streamWords(device.stream.kind),
    ...shownConditions(device.conditions).map(({ title }) => title),
  ]
    .join('\n')
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}
