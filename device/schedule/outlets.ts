/** What the schedules let out of the device at a moment: the stream, the recording, both or neither. Pure. */
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { alwaysOn, type ScheduleState, scheduleState } from '#device/schedule/schedule.ts';
import type { ResolvedSettings } from '#device/settings/levels.ts';
import type { SettingKey } from '#protocol/settings.ts';
import { furtherTargets } from '#protocol/stream-targets.ts';

export type Outlet = 'stream' | 'record';
export type Outlets = { readonly [O in Outlet]: boolean };

/** By which hours go (time-of-day.ts). */
export type Time = {
  readonly nowMs: number;
  readonly isTimeKnown: boolean;
};

export type Moment = Time & {
  /** What was let out when the clock was last known to be right. */
  readonly held: Outlets;
  /** The machine's own time zone; null: Node's word holds. */
  readonly ownZone: string | null;
};

export type ScheduleDecision = {
  readonly allowed: Outlets;
  /** Whether the time was known: a clock that nothing has shown to be right (a Pi without network) neither starts nor stops anything. */
  readonly isClockSet: boolean;
  /** Where the hours are read; null: by Node's word. */
  readonly zone: string | null;
  /** When the stream starts or stops next; null: never, or nobody can tell. */
  readonly streamChangesAtMs: number | null;
  /** When anything changes next. */
  readonly changesAtMs: number | null;
};

/** No clock of a device that has ever been set shows an earlier time: this program is younger. */
const youngestTimeMs = Date.UTC(2024, 0, 1);

/** Of a device that has never had the time: a picture is not shown to the world by mistake, and a recording is not missed. */
export const unknownOutlets: Outlets = { stream: false, record: true };

export const unscheduled: ScheduleDecision = {
  allowed: { stream: true, record: true },
  isClockSet: true,
  zone: null,
  streamChangesAtMs: null,
  changesAtMs: null,
};

export function isClockSet(nowMs: number): boolean {
  return nowMs >= youngestTimeMs;
}

export function decideOutlets(settings: ResolvedSettings, { nowMs, isTimeKnown, held, ownZone }: Moment): ScheduleDecision {
  const zone = text(settings, 'AV_TIME_ZONE') ?? ownZone;
  const stream = text(settings, 'AV_STREAM_SCHEDULE');
  const record = text(settings, 'AV_RECORD_SCHEDULE');
  if (!isTimeKnown) {
    const allowed = { stream: stream === null || held.stream, record: record === null || held.record };
    return { allowed, isClockSet: false, zone, streamChangesAtMs: null, changesAtMs: null };
  }
  const stateOf = (schedule: string | null): ScheduleState => (schedule === null ? alwaysOn : scheduleState(schedule, nowMs, zone));
  const streaming = stateOf(stream);
  const recording = stateOf(record);
  const changes = [streaming.changesAtMs, recording.changesAtMs].filter((atMs) => atMs !== null);
  return {
    allowed: { stream: streaming.isOn, record: recording.isOn },
    isClockSet: true,
    zone,
    streamChangesAtMs: streaming.changesAtMs,
    changesAtMs: changes.length === 0 ? null : Math.min(...changes),
  };
}

const outlets: ReadonlyMap<string, Outlet> = new Map([
  ['rtmp', 'stream'],
  ['icecast', 'stream'],
  ['recording', 'record'],
]);

/** Which schedule an output obeys, by its kind; previews for the fleet obey none. */
export function outletOf(kind: string): Outlet | undefined {
  return outlets.get(kind);
}

export function withinOutlets(plan: PipelinePlan, allowed: Outlets): PipelinePlan {
  const isAllowed = (kind: string): boolean => {
    const outlet = outletOf(kind);
    return outlet === undefined || allowed[outlet];
  };
  return { ...plan, outputs: plan.outputs.filter(({ kind }) => isAllowed(kind)) };
}

/** Whoever changes one of these decides anew whether, when and where to this device streams. */
const streamDecidingKeys = [
  'AV_STREAM_URL',
  'AV_STREAM_URL_2',
  'AV_STREAM_URL_3',
  'AV_STREAM_URL_4',
  'AV_ICECAST_URL',
  'AV_STREAM_SCHEDULE',
] as const satisfies readonly SettingKey[];

/** Came later: named only where they are set, so that a switch which was kept before still counts. */
const laterDecidingKeys = furtherTargets.map(({ address }) => address).filter((key) => !streamDecidingKeys.some((known) => known === key));

/**
 * What a stream is switched against, in words to be compared. Only what somebody chose counts: a fleet that moves its relay
 * puts nothing on air that was taken off.
 */
export function streamBasis(settings: ResolvedSettings): string {
  const chosen = (key: SettingKey) => {
    const { value, level } = settings[key];
    return level === 'default' || level === 'relay' ? null : value;
  };
  const later = laterDecidingKeys.flatMap((key) => (chosen(key) === null ? [] : [[key, chosen(key)]]));
  return JSON.stringify([...streamDecidingKeys.map(chosen), ...later]);
}

export function isSameOutlets(one: Outlets, other: Outlets): boolean {
  return one.stream === other.stream && one.record === other.record;
}

/** Also in what people are told of it. */
export function isSameDecision(one: ScheduleDecision, other: ScheduleDecision): boolean {
  const isSameClock = one.isClockSet === other.isClockSet && one.zone === other.zone;
  return isSameOutlets(one.allowed, other.allowed) && isSameClock && one.streamChangesAtMs === other.streamChangesAtMs;
}

/** For people: why nothing is streamed, and until when. */
export function describePause({ isClockSet: isSet, zone, streamChangesAtMs }: ScheduleDecision): string {
  if (!isSet) return 'waits for the time of day: its streaming hours cannot be told without';
  if (streamChangesAtMs === null) return 'outside its streaming hours';
  const format = new Intl.DateTimeFormat('en-GB', { ...(zone === null ? {} : { timeZone: zone }), dateStyle: 'full', timeStyle: 'short' });
  return `outside its streaming hours until ${format.format(streamChangesAtMs)}${zone === null ? '' : ` (${zone})`}`;
}

function text(settings: ResolvedSettings, key: SettingKey): string | null {
  const value = settings[key].value;
  return value === null || value === '' ? null : String(value);
}
