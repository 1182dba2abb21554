/**
 * A revision of the settings is a transaction: refused, or tried and then either in force or rolled back. Pure: events in,
 * the next state and the effects as data out.
 *
 * INVARIANTS
 * - One revision is tried at a time; of those that come in the meantime only the newest waits.
 * - Every revision that is not older than the one in force gets an answer, also when it comes again. One that was refused is no bound: a
 *   fleet server that was restored from an older copy knows nothing of it, and begins with what is in force.
 * - Order is the revision's number; the device's clock plays no part.
 */
import { describeRefusals } from '#device/settings/describe-refusals.ts';
import { type Judgement, maxRefusals, type Prepared } from '#device/settings/prepare.ts';
import type { Applied, Desired, SettingRefusal, UnjudgedDesired } from '#protocol/messages.ts';

/** How the revision that was judged last fared. */
export type Verdict = Omit<Applied, 'inForceRevision'> & { readonly digest: string };

type Phase =
  | { readonly kind: 'settled' }
  | { readonly kind: 'trying'; readonly document: Desired }
  | { readonly kind: 'restoring'; readonly document: Desired; readonly refusals: readonly SettingRefusal[] };

export type SettingsState = {
  readonly inForce: Desired | null;
  readonly verdict: Verdict | null;
  /** The newest, while it is refused: what was missing for it may be plugged in. */
  readonly refused: UnjudgedDesired | null;
  readonly waiting: UnjudgedDesired | null;
  readonly phase: Phase;
};

export type SettingsEvent =
  | { readonly kind: 'desired'; readonly document: UnjudgedDesired }
  | { readonly kind: 'runs' }
  | { readonly kind: 'does-not-run'; readonly refusals: readonly SettingRefusal[] }
  /** The last good settings run again, or could not be made to: they are in force all the same, and tried again. */
  | { readonly kind: 'restored' };

export type SettingsEffect =
  | { readonly kind: 'try'; readonly prepared: Prepared }
  | { readonly kind: 'restore' }
  | { readonly kind: 'save' }
  | { readonly kind: 'answer'; readonly applied: Applied }
  | { readonly kind: 'record'; readonly event: string; readonly detail: string };

export type Step = { readonly state: SettingsState; readonly effects: readonly SettingsEffect[] };

/** How a document would fare on this machine, where the second one is in force. */
export type Judge = (document: UnjudgedDesired, inForce: Desired | null) => Judgement;

export function settledState(inForce: Desired | null, verdict: Verdict | null): SettingsState {
  return { inForce, verdict, refused: null, waiting: null, phase: { kind: 'settled' } };
}

export function transition(state: SettingsState, event: SettingsEvent, judge: Judge): Step {
  const { phase } = state;
  switch (event.kind) {
    case 'desired':
      if (phase.kind === 'settled') return consider(state, event.document, judge);
      return { state: { ...state, waiting: newest(state.waiting, event.document) }, effects: [] };
    case 'runs': {
      if (phase.kind !== 'trying') return { state, effects: [] };
      const { revision, digest } = phase.document;
      const verdict: Verdict = { revision, digest, outcome: 'applied', refusals: [] };
      const next: SettingsState = { ...state, inForce: phase.document, verdict, phase: { kind: 'settled' } };
      return conclude(next, 'settings-applied', `revision ${revision} is in force`, judge);
    }
    case 'does-not-run':
      if (phase.kind !== 'trying') return { state, effects: [] };
      return {
        state: { ...state, phase: { kind: 'restoring', document: phase.document, refusals: event.refusals.slice(0, maxRefusals) } },
        effects: [{ kind: 'restore' }],
      };
    case 'restored': {
      if (phase.kind !== 'restoring') return { state, effects: [] };
      const { revision, digest } = phase.document;
      const verdict: Verdict = { revision, digest, outcome: 'rolled-back', refusals: [...phase.refusals] };
      const next: SettingsState = { ...state, verdict, phase: { kind: 'settled' } };
      return conclude(next, 'settings-rolled-back', `revision ${revision}: ${describeRefusals(phase.refusals)}`, judge);
    }
    default:
      return event satisfies never;
  }
}

function consider(state: SettingsState, document: UnjudgedDesired, judge: Judge): Step {
  const { revision, digest } = document;
  const { inForce, verdict } = state;
  if (inForce !== null && revision < inForce.revision) return { state, effects: [] };
  const known = verdict?.revision === revision ? verdict : inForce;
  const isAgain = known?.revision === revision && known.digest === digest;
  // The server asks again because it has not heard, or forgot: the answer stands, the stream is not disturbed a second time.
  // Only what was refused without a try is judged anew: the camera that was missing may be there now.
  if (isAgain && !(known === verdict && verdict?.outcome === 'refused')) return { state, effects: answer(state, document) };
  const judgement = judge(document, inForce);
  if (judgement.kind === 'refused') {
    const refusal: Verdict = { revision, digest, outcome: 'refused', refusals: [...judgement.refusals] };
    const next: SettingsState = { ...state, verdict: refusal, refused: document };
    if (isAgain) return { state: next, effects: answer(next, document) };
    return conclude(next, 'settings-refused', `revision ${revision}: ${describeRefusals(judgement.refusals)}`, judge);
  }
  const phase: Phase = { kind: 'trying', document: judgement.document };
  return { state: { ...state, refused: null, phase }, effects: [{ kind: 'try', prepared: judgement.prepared }] };
}

/** Keeps and tells the verdict, then goes on with what came in the meantime. */
function conclude(state: SettingsState, event: string, detail: string, judge: Judge): Step {
  const effects: SettingsEffect[] = [{ kind: 'save' }, ...answer(state), { kind: 'record', event, detail: detail.slice(0, 500) }];
  if (state.waiting === null) return { state, effects };
  const next = consider({ ...state, waiting: null }, state.waiting, judge);
  return { state: next.state, effects: [...effects, ...next.effects] };
}

function answer({ verdict, inForce }: SettingsState, asked?: UnjudgedDesired): SettingsEffect[] {
  const inForceRevision = inForce?.revision ?? 0;
  if (verdict !== null && (asked === undefined || asked.revision === verdict.revision)) {
    const { revision, outcome, refusals } = verdict;
    return [{ kind: 'answer', applied: { revision, outcome, refusals, inForceRevision } }];
  }
  if (asked === undefined) return [];
  return [{ kind: 'answer', applied: { revision: asked.revision, outcome: 'applied', refusals: [], inForceRevision } }];
}

function newest(one: UnjudgedDesired | null, other: UnjudgedDesired): UnjudgedDesired {
  return one !== null && one.revision > other.revision ? one : other;
}
