/**
 * One bitrate for all targets, since one encoder serves them all. Pure.
 *
 * The rule: the slowest target decides. But one that has not taken even the floor for half a minute, while another one streams
 * well, loses its vote: it gets what goes through, by whole groups of pictures, and the others get their quality back. It has
 * its vote again when it has taken a fifth more than the floor for ten seconds.
 *
 * Where nobody has streamed for a minute the whole bitrate is given: a recording may go on for hours. The next connection begins
 * with what the last one carried all the same.
 */
import { type BitrateBounds, type ControllerState, control, startController } from '#device/media-host/bitrate-controller.ts';
import type { UplinkReading } from '#device/media-host/uplink-meter.ts';
import type { BitrateAdaptation } from '#protocol/media.ts';

const hopelessAfterMs = 30_000;
const hopefulAfterMs = 10_000;
const hopefulShare = 1.2;
const silentAfterMs = 60_000;

type Voter = {
  readonly controller: ControllerState;
  readonly hasVote: boolean;
  /** Of one without a vote: since when it has taken more than the floor; null while it does not. */
  readonly hopefulSinceMs: number | null;
};

export type GovernorState = {
  readonly kbps: number;
  readonly voters: ReadonlyMap<string, Voter>;
  /** What was given while somebody streamed last. */
  readonly carriedKbps: number;
  /** Since when nobody has streamed; null while somebody does. */
  readonly silentSinceMs: number | null;
};

export type GovernorInput = {
  readonly nowMs: number;
  readonly bounds: BitrateBounds;
  readonly audioKbps: number;
  /** Some output has a connection, though it may be too young to be read. */
  readonly isStreaming: boolean;
  /** By the id of each output that streams and has been read. */
  readonly readings: ReadonlyMap<string, UplinkReading>;
};

export function startGovernor({ maximumKbps }: BitrateBounds): GovernorState {
  return { kbps: maximumKbps, voters: new Map(), carriedKbps: maximumKbps, silentSinceMs: null };
}

/** The encoder gives this, whatever it was asked for: what is known of the ways stays, and what they carry is judged anew. */
export function correctGovernor(state: GovernorState, kbps: number): GovernorState {
  const voters = [...state.voters].map(([id, voter]) => {
    const controller: ControllerState = { ...voter.controller, kbps, congestion: null, belowFloorSinceMs: null };
    return [id, { ...voter, controller }] as const;
  });
  return { ...state, kbps, voters: new Map(voters), carriedKbps: kbps };
}

export function govern(state: GovernorState, input: GovernorInput): GovernorState {
  const { nowMs, bounds, audioKbps, readings } = input;
  if (!input.isStreaming) return whenSilent(state, input);
  const known = new Map([...readings].map(([id, reading]) => [id, nextVoter(state, id, reading, input)] as const));
  const someDoWell = [...known.values()].some(({ controller }) => controller.belowFloorSinceMs === null);
  const voters = new Map(
    [...known].map(([id, voter]) => [
      id,
      judgeVoter(voter, someDoWell, { nowMs, floorKbps: bounds.minimumKbps + audioKbps, reading: readings.get(id) }),
    ]),
  );
  const votes = [...voters.values()].filter(({ hasVote }) => hasVote).map(({ controller }) => controller.kbps);
  const kbps = within(bounds, votes.length === 0 ? state.carriedKbps : Math.min(...votes));
  return { kbps, voters, carriedKbps: kbps, silentSinceMs: null };
}

function whenSilent({ carriedKbps, silentSinceMs }: GovernorState, { nowMs, bounds }: GovernorInput): GovernorState {
  const sinceMs = silentSinceMs ?? nowMs;
  const kbps = nowMs - sinceMs < silentAfterMs ? within(bounds, carriedKbps) : bounds.maximumKbps;
  return { kbps, voters: new Map(), carriedKbps, silentSinceMs: sinceMs };
}

function within({ minimumKbps, maximumKbps }: BitrateBounds, kbps: number): number {
  return Math.min(maximumKbps, Math.max(minimumKbps, kbps));
}

function nextVoter(state: GovernorState, id: string, reading: UplinkReading, { nowMs, bounds, audioKbps }: GovernorInput): Voter {
  const former = state.voters.get(id) ?? {
    controller: { ...startController(bounds, nowMs), kbps: state.carriedKbps },
    hasVote: true,
    hopefulSinceMs: null,
  };
  return { ...former, controller: control(former.controller, { ...reading, atMs: nowMs, audioKbps, actualKbps: state.kbps }, bounds) };
}

type Judgement = { readonly nowMs: number; readonly floorKbps: number; readonly reading: UplinkReading | undefined };

function judgeVoter(voter: Voter, someDoWell: boolean, { nowMs, floorKbps, reading }: Judgement): Voter {
  const { controller } = voter;
  if (voter.hasVote) {
    const isHopeless = controller.belowFloorSinceMs !== null && nowMs - controller.belowFloorSinceMs >= hopelessAfterMs;
    return isHopeless && someDoWell ? { ...voter, hasVote: false, hopefulSinceMs: null } : voter;
  }
  if (!someDoWell) return { ...voter, hasVote: true };
  const isHopeful = controller.congestion === null || (reading?.deliveredKbps ?? 0) >= floorKbps * hopefulShare;
  if (!isHopeful) return { ...voter, hopefulSinceMs: null };
  const hopefulSinceMs = voter.hopefulSinceMs ?? nowMs;
  if (nowMs - hopefulSinceMs < hopefulAfterMs) return { ...voter, hopefulSinceMs };
  return { hasVote: true, hopefulSinceMs: null, controller: { ...controller, congestion: null, belowFloorSinceMs: null } };
}

/** What screens and the health say of it. */
export function describeGovernor({ kbps, voters }: GovernorState, bounds: BitrateBounds): BitrateAdaptation {
  const slowest = [...voters]
    .filter(([, { hasVote }]) => hasVote)
    .toSorted(([, one], [, other]) => one.controller.kbps - other.controller.kbps)[0];
  const ignored = [...voters].filter(([, { hasVote }]) => !hasVote).map(([id]) => id);
  const isLimited = kbps < bounds.maximumKbps;
  const [limitedBy = null, voter] = isLimited && slowest !== undefined ? slowest : [];
  const floor = voter?.controller.belowFloorSinceMs == null ? '' : ', and takes not even the least that the encoder may give';
  const words = [
    ...(limitedBy === null ? [] : [`${limitedBy} takes no more${floor}`]),
    ...ignored.map((id) => `${id} is far too slow and is left behind`),
  ];
  return {
    bitrateKbps: kbps,
    targetKbps: bounds.maximumKbps,
    floorKbps: bounds.minimumKbps,
    limitedBy,
    reason: words.join('; ').slice(0, 500),
  };
}
