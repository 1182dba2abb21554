/**
 * What bitrate the way to one target carries, learned from how far the target is behind: fast down, slowly up. Pure: a state
 * and a reading (four a second) give the next state.
 *
 * INVARIANTS
 * - Never below the floor and never above what was asked for.
 * - A bitrate that proved too much is approached again only after a patience that doubles each time, up to a minute: so an
 *   uplink that stays as it is sees a lasting bitrate and not a saw.
 */
import type { UplinkReading } from '#device/media-host/uplink-meter.ts';

export type BitrateBounds = { readonly minimumKbps: number; readonly maximumKbps: number };

export type ControllerState = {
  readonly kbps: number;
  /** The lag of the way when it is free: its delay, and what lies between two looks. Null before the first reading. */
  readonly baseLagMs: number | null;
  /** While the way is congested: when it was last judged, and the lag of that moment. */
  readonly congestion: { readonly judgedAtMs: number; readonly lagMs: number } | null;
  readonly changedAtMs: number;
  readonly lastChange: 'none' | 'down' | 'up';
  /** Since when the way has been free; null while it is not. */
  readonly calmSinceMs: number | null;
  /** What was too much when it last was. */
  readonly troubleKbps: number | null;
  readonly patienceMs: number;
  /** Since when not even the floor gets through; null while it does. */
  readonly belowFloorSinceMs: number | null;
};

export type ControllerReading = UplinkReading & {
  readonly atMs: number;
  /** What else goes the same way: sound. */
  readonly audioKbps: number;
  /** The bitrate in force, which another target may hold down. */
  readonly actualKbps: number;
};

/** Above the base: so much behind is neither jitter nor a large keyframe. */
const congestedMs = 600;
const calmMs = 300;
/** The encoder needs a moment to follow, and the meter a second to see it. */
const settleMs = 1_000;
/** A lag that comes down by so much between two judgements is being worked off. */
const fallingMs = 50;
const downShare = 0.85;
/** A hiccup looks like a narrow way at first: the first step is no larger than this. */
const firstDownShare = 0.5;
/** Of what gets through: the rest is for the backlog. */
const deliveredShare = 0.8;
const raiseShare = 0.08;
const smallestRaiseKbps = 50;
const raiseAfterDownMs = 4_000;
const raiseAfterUpMs = 2_000;
const shortPatienceMs = 10_000;
const longPatienceMs = 60_000;
/** A raise up to this share of what was too much needs no patience. */
const troubleShare = 0.9;
/** The base follows a way that has become longer, by 2 ms a second. */
const baseDriftMs = 0.5;
const largestBaseMs = 1_500;

export function startController(bounds: BitrateBounds, nowMs: number): ControllerState {
  return {
    kbps: bounds.maximumKbps,
    baseLagMs: null,
    congestion: null,
    changedAtMs: nowMs,
    lastChange: 'none',
    calmSinceMs: null,
    troubleKbps: null,
    patienceMs: shortPatienceMs,
    belowFloorSinceMs: null,
  };
}

export function control(former: ControllerState, reading: ControllerReading, bounds: BitrateBounds): ControllerState {
  const baseLagMs = Math.min(reading.lagMs, largestBaseMs, (former.baseLagMs ?? largestBaseMs) + baseDriftMs);
  const kbps = Math.min(bounds.maximumKbps, Math.max(bounds.minimumKbps, former.kbps));
  const state = { ...former, kbps, baseLagMs };
  const overMs = reading.lagMs - baseLagMs;
  if (overMs > congestedMs) return whenCongested({ ...state, calmSinceMs: null }, reading, bounds);
  if (overMs > calmMs) return { ...state, calmSinceMs: null };
  return whenCalm({ ...state, calmSinceMs: state.calmSinceMs ?? reading.atMs, congestion: null, belowFloorSinceMs: null }, reading, bounds);
}

function whenCongested(state: ControllerState, reading: ControllerReading, bounds: BitrateBounds): ControllerState {
  const { atMs, lagMs } = reading;
  const { congestion } = state;
  if (congestion !== null && atMs - congestion.judgedAtMs < settleMs) return state;
  const judged = { ...state, congestion: { judgedAtMs: atMs, lagMs } };
  if (congestion !== null && lagMs < congestion.lagMs - fallingMs) return judged;
  // Nothing at all went through: a break tells nothing of how wide the way is.
  if (reading.deliveredKbps <= 0) return state;
  if (state.kbps <= bounds.minimumKbps) return { ...judged, belowFloorSinceMs: state.belowFloorSinceMs ?? atMs };
  return lowered(judged, congestion === null, reading, bounds);
}

function lowered(state: ControllerState, isFirst: boolean, reading: ControllerReading, bounds: BitrateBounds): ControllerState {
  const { atMs, deliveredKbps, audioKbps, actualKbps } = reading;
  const fromKbps = Math.min(state.kbps, actualKbps);
  const deliverableKbps = deliveredKbps * deliveredShare - audioKbps;
  const wantedKbps = Math.min(fromKbps * downShare, isFirst ? Math.max(fromKbps * firstDownShare, deliverableKbps) : deliverableKbps);
  const isAgain = state.troubleKbps !== null && fromKbps >= state.troubleKbps * troubleShare;
  return {
    ...state,
    kbps: Math.round(Math.max(bounds.minimumKbps, wantedKbps)),
    changedAtMs: atMs,
    lastChange: 'down',
    troubleKbps: isFirst ? fromKbps : state.troubleKbps,
    patienceMs: !isFirst ? state.patienceMs : isAgain ? Math.min(longPatienceMs, state.patienceMs * 2) : shortPatienceMs,
  };
}

function whenCalm(state: ControllerState, { atMs, actualKbps }: ControllerReading, bounds: BitrateBounds): ControllerState {
  const { kbps, troubleKbps, patienceMs, changedAtMs } = state;
  const calmForMs = Math.min(atMs - (state.calmSinceMs ?? atMs), atMs - changedAtMs);
  // What was too much is not any more, where it has gone well for as long as the patience was.
  if (troubleKbps !== null && kbps >= troubleKbps && calmForMs >= patienceMs) {
    return { ...state, troubleKbps: null, patienceMs: shortPatienceMs };
  }
  // Held down by another target, this one learns nothing of its own way.
  if (kbps >= bounds.maximumKbps || kbps > actualKbps) return state;
  const next = Math.min(bounds.maximumKbps, Math.round(kbps + Math.max(smallestRaiseKbps, bounds.maximumKbps * raiseShare)));
  const isNearTrouble = troubleKbps !== null && next > troubleKbps * troubleShare && kbps < troubleKbps;
  const neededMs = isNearTrouble ? patienceMs : state.lastChange === 'down' ? raiseAfterDownMs : raiseAfterUpMs;
  return calmForMs < neededMs ? state : { ...state, kbps: next, changedAtMs: atMs, lastChange: 'up' };
}
