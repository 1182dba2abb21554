/**
 * Whether an encoder does what it was told: some drivers take a bitrate while they run, answer that all is well, and go on as before. Pure.
 *
 * INVARIANT: only one that gives nearly all of the plan's bitrate, long after it was told far less, is said to ignore it. A still picture that takes less
 * proves nothing, nor does a restless one that takes more than it should.
 */

/** It follows within a second or two; what is measured lags by another. */
const settleMs = 3_000;
const measuredMs = 5_000;
/** Of the plan's bitrate: where less of a change was wanted, more could be chance. */
const farLessShare = 0.6;
const nearlyAllShare = 0.85;

export type ObedienceState = {
  readonly toldKbps: number;
  readonly sinceMs: number;
  readonly sumKbps: number;
  readonly count: number;
};

export type ObedienceLook = {
  readonly nowMs: number;
  readonly toldKbps: number;
  readonly maximumKbps: number;
  /** What left the encoder in the last second. */
  readonly givenKbps: number;
};

/** `ignoredKbps`: what it gives instead; null unless it does not obey. */
export type Obedience = { readonly state: ObedienceState; readonly ignoredKbps: number | null };

export function watchObedience(former: ObedienceState | null, { nowMs, toldKbps, maximumKbps, givenKbps }: ObedienceLook): Obedience {
  if (former === null || former.toldKbps !== toldKbps) {
    return { state: { toldKbps, sinceMs: nowMs, sumKbps: 0, count: 0 }, ignoredKbps: null };
  }
  const sinceMs = nowMs - former.sinceMs;
  if (sinceMs < settleMs) return { state: former, ignoredKbps: null };
  const state = { ...former, sumKbps: former.sumKbps + givenKbps, count: former.count + 1 };
  if (sinceMs < settleMs + measuredMs) return { state, ignoredKbps: null };
  const meanKbps = Math.round(state.sumKbps / state.count);
  const isIgnored = toldKbps <= maximumKbps * farLessShare && meanKbps >= maximumKbps * nearlyAllShare;
  // Looked at again from here: an encoder may stop to obey later, too.
  return { state: { toldKbps, sinceMs: nowMs - settleMs, sumKbps: 0, count: 0 }, ignoredKbps: isIgnored ? meanKbps : null };
}
