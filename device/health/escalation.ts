/**
 * What is done about a stream that does not come back by itself: media host, agent, board, in this order. Pure: what is seen now
 * and what was done before give the next step, if any.
 *
 * INVARIANTS
 * - Each step has a bound an hour that holds over restarts of the agent and of the board, and whatever the wall clock is set to: within one
 *   boot what was done moves along with a clock that is set; what is of another boot is never of the future.
 * - Life is frames that leave the encoder; a camera that is not plugged in is no illness.
 */
import { type Static, Type } from 'typebox';
import { isClockSet } from '#device/schedule/outlets.ts';
import type { MediaState } from '#protocol/media.ts';

export const EscalationStep = Type.Enum(['media-host', 'agent', 'reboot']);
export type EscalationStep = Static<typeof EscalationStep>;

const mostTaken = 32;

/** What outlives the agent. Wall clock, ms: a board may have been off in between. */
export const EscalationMemory = Type.Object({
  taken: Type.Array(Type.Object({ step: EscalationStep, atMs: Type.Number() }), { maxItems: mostTaken }),
  /** When the stream was well last, for long enough to be believed. */
  wellAtMs: Type.Union([Type.Number(), Type.Null()]),
  /** By which clock these times are: how far it is ahead of the boot's monotonic one. */
  clock: Type.Optional(Type.Object({ bootId: Type.String({ maxLength: 64 }), aheadMs: Type.Number() })),
});
export type EscalationMemory = Static<typeof EscalationMemory>;

export type EscalationState = {
  readonly memory: EscalationMemory;
  readonly illSinceMs: number | null;
  readonly wellSinceMs: number | null;
  readonly steppedAtMs: number | null;
  readonly cardSinceMs: number | null;
  readonly frames: { readonly total: number; readonly grewAtMs: number };
};

export type Observation = {
  readonly bootId: string;
  /** The same for every agent of one boot. */
  readonly monotonicMs: number;
  readonly wallMs: number;
  /** Null: no media host is connected. */
  readonly media: MediaState | null;
  readonly framesTotal: number;
  readonly captureLosses: number;
  /** The source of the plan is plugged in, as far as anybody can see. */
  readonly isSourceThere: boolean;
  readonly mayReboot: boolean;
};

export type EscalationAction = { readonly step: EscalationStep; readonly cause: string };

export type Escalation = { readonly state: EscalationState; readonly action: EscalationAction | null };

type Rung = {
  readonly step: EscalationStep;
  /** Since the illness began, or since the last step. */
  readonly afterMs: number;
  /** Without the stream having been well in between. */
  readonly timesInARow: number;
  readonly timesAnHour: number;
};

export const ladder: readonly Rung[] = [
  { step: 'media-host', afterMs: 20_000, timesInARow: 2, timesAnHour: 4 },
  { step: 'agent', afterMs: 60_000, timesInARow: 2, timesAnHour: 2 },
  { step: 'reboot', afterMs: 180_000, timesInARow: 1, timesAnHour: 1 },
];

const hourMs = 3_600_000;
/** The media host itself starts a capture anew after 5 s without a frame. */
const framelessBoundMs = 8000;
const believedAfterMs = 30_000;
/**
 * v4l2src of GStreamer 1.22 keeps a descriptor each time that a camera is pulled out while it streams. The card is on air by
 * then: nobody misses anything while the host is replaced.
 */
export const lossesOfWornHost = 20;
const quietAfterMs = 3000;
/** What the wall clock and the monotonic one differ by less was not set: nothing is written for it. */
const clockToleranceMs = 1000;

export function startEscalation(memory: EscalationMemory | null, monotonicMs: number): EscalationState {
  return {
    memory: memory ?? { taken: [], wellAtMs: null },
    illSinceMs: null,
    wellSinceMs: null,
    steppedAtMs: null,
    cardSinceMs: null,
    frames: { total: 0, grewAtMs: monotonicMs },
  };
}

export function escalate(before: EscalationState, seen: Observation): Escalation {
  const { monotonicMs, wallMs } = seen;
  const frames = seen.framesTotal === before.frames.total ? before.frames : { total: seen.framesTotal, grewAtMs: monotonicMs };
  const finding = diagnose({ ...before, frames }, seen);
  const isWell = finding.kind === 'well';
  const wellSinceMs = isWell ? (before.wellSinceMs ?? monotonicMs) : null;
  const isBelieved = wellSinceMs !== null && monotonicMs - wellSinceMs >= believedAfterMs;
  const memory = byClockOfNow(before.memory, seen);
  const state: EscalationState = {
    ...before,
    frames,
    wellSinceMs,
    illSinceMs: finding.kind === 'ill' ? (before.illSinceMs ?? monotonicMs) : null,
    cardSinceMs: seen.media?.kind === 'no-signal' ? (before.cardSinceMs ?? monotonicMs) : null,
    memory: isBelieved && isWellNews(memory) ? { ...memory, wellAtMs: wallMs } : memory,
  };
  const action = finding.kind === 'ill' ? nextStep(state, seen, finding.cause) : replaceWornHost(state, seen);
  return action === null ? { state, action } : { state: taking(state, seen, action), action };
}

type Finding = { readonly kind: 'well' } | { readonly kind: 'neither' } | { readonly kind: 'ill'; readonly cause: string };

function diagnose(state: EscalationState, { media, monotonicMs, isSourceThere }: Observation): Finding {
  if (media === null) return { kind: 'ill', cause: 'the media host does not run' };
  switch (media.kind) {
    case 'failed':
      return { kind: 'ill', cause: media.reason };
    case 'no-signal':
      return isSourceThere ? { kind: 'ill', cause: media.reason } : { kind: 'neither' };
    case 'starting':
      // A new try does not mend it, frames do.
      return state.illSinceMs === null ? { kind: 'neither' } : { kind: 'ill', cause: 'the pipeline does not come up' };
    case 'running': {
      const isAlive = monotonicMs - state.frames.grewAtMs < framelessBoundMs;
      return isAlive ? { kind: 'well' } : { kind: 'ill', cause: 'no frames leave the encoder' };
    }
    case 'stopped':
      return { kind: 'neither' };
    default:
      return media satisfies never;
  }
}

/**
 * The last hour's. A Pi without network starts with the time at which it was last switched off, or with 1970, and is put right while it runs:
 * that must neither lift the bounds nor stop everything for years.
 */
function byClockOfNow({ taken, wellAtMs, clock }: EscalationMemory, { bootId, wallMs, monotonicMs }: Observation): EscalationMemory {
  if (taken.length === 0) return { taken, wellAtMs };
  const aheadMs = Math.round(wallMs - monotonicMs);
  const setByMs = clock?.bootId === bootId ? aheadMs - clock.aheadMs : 0;
  const isSet = Math.abs(setByMs) >= clockToleranceMs;
  const now = (atMs: number): number => {
    const movedMs = isSet ? atMs + setByMs : atMs;
    return isClockSet(movedMs) || !isClockSet(wallMs) ? Math.min(movedMs, wallMs) : wallMs;
  };
  return {
    taken: taken.map(({ step, atMs }) => ({ step, atMs: now(atMs) })).filter(({ atMs }) => wallMs - atMs < hourMs),
    wellAtMs: wellAtMs === null ? null : now(wellAtMs),
    clock: clock?.bootId === bootId && !isSet ? clock : { bootId, aheadMs },
  };
}

/** Written once for each recovery, not every few seconds: the disk is a card. */
function isWellNews({ taken, wellAtMs }: EscalationMemory): boolean {
  return taken.some(({ atMs }) => wellAtMs === null || atMs > wellAtMs);
}

function nextStep(state: EscalationState, seen: Observation, cause: string): EscalationAction | null {
  const sinceMs = Math.max(state.illSinceMs ?? seen.monotonicMs, state.steppedAtMs ?? 0);
  for (const { step, afterMs, timesInARow, timesAnHour } of ladder) {
    if (step === 'reboot' && !seen.mayReboot) continue;
    const { anHour, inARow } = countTaken(state.memory, step);
    if (anHour >= timesAnHour || inARow >= timesInARow) continue;
    return seen.monotonicMs - sinceMs >= afterMs ? { step, cause } : null;
  }
  return null;
}

/** `taken` holds one hour. */
function countTaken({ taken, wellAtMs }: EscalationMemory, step: EscalationStep): { readonly anHour: number; readonly inARow: number } {
  const same = taken.filter((entry) => entry.step === step);
  return { anHour: same.length, inARow: same.filter(({ atMs }) => wellAtMs === null || atMs > wellAtMs).length };
}

function replaceWornHost(state: EscalationState, seen: Observation): EscalationAction | null {
  if (seen.captureLosses < lossesOfWornHost || state.cardSinceMs === null) return null;
  if (seen.monotonicMs - state.cardSinceMs < quietAfterMs) return null;
  const bound = ladder.find(({ step }) => step === 'media-host')?.timesAnHour ?? 0;
  if (countTaken(state.memory, 'media-host').anHour >= bound) return null;
  return { step: 'media-host', cause: `it has lost its camera ${seen.captureLosses} times, each of which may have cost it a descriptor` };
}

function taking(state: EscalationState, { bootId, monotonicMs, wallMs }: Observation, { step }: EscalationAction): EscalationState {
  const { taken: before, wellAtMs, clock = { bootId, aheadMs: Math.round(wallMs - monotonicMs) } } = state.memory;
  const taken = [...before, { step, atMs: wallMs }].slice(-mostTaken);
  return { ...state, steppedAtMs: monotonicMs, cardSinceMs: null, memory: { taken, wellAtMs, clock } };
}
