/** What has to be done to get from the plan that runs to the plan that is wanted. Pure; steps as data, in order. */
import type { CapturePlan, CardPlan, LiveProperty, PipelinePlan, PlannedOutput } from '#device/plan/pipeline-plan.ts';

/** One entry a kind of step; union and table of executors derive from it. */
export type StepKinds = {
  /** The old capture stops before the new one starts: devices are exclusive. Outputs stay connected. */
  'switch-capture': { readonly capture: CapturePlan; readonly live: readonly LiveProperty[] };
  /** Text and bitrate of the "no signal" card. */
  'set-card': { readonly card: CardPlan | null };
  'set-live': { readonly live: readonly LiveProperty[] };
  'stop-output': { readonly id: string };
  'start-output': { readonly output: PlannedOutput };
};

export type Step = { readonly [K in keyof StepKinds]: { readonly kind: K } & StepKinds[K] }[keyof StepKinds];

/**
 * The plan as it goes on from what runs: where an output stays that was told of sound, silence stands in for sound that is switched
 * off, until the host starts anew. So no connection has to end for it.
 */
export function withSilence(running: PipelinePlan | null, wanted: PipelinePlan): PipelinePlan {
  const { silenced, ...capture } = wanted.capture;
  if (running === null || silenced === undefined || !running.capture.hasAudio || wanted.capture.hasAudio) return wanted;
  const stays = wanted.outputs.some((output) => running.outputs.some((former) => isSame(former, output)));
  if (!stays) return wanted;
  const card = capture.card === undefined || silenced.card === undefined ? {} : { card: { ...capture.card, description: silenced.card } };
  return { ...wanted, capture: { ...capture, ...card, description: silenced.description, hasAudio: true } };
}

export function captureSteps(running: PipelinePlan | null, wanted: PipelinePlan, isCaptureUp: boolean): readonly Step[] {
  if (!isCaptureUp || running === null || !isSameCapture(running.capture, wanted.capture)) {
    return [{ kind: 'switch-capture', capture: wanted.capture, live: wanted.live }];
  }
  const { card } = wanted.capture;
  return [
    ...(isSame(running.capture.card, card) ? [] : [{ kind: 'set-card', card: card ?? null } as const]),
    ...(isSame(running.live, wanted.live) ? [] : [{ kind: 'set-live', live: wanted.live } as const]),
  ];
}

export function outputSteps(running: PipelinePlan | null, wanted: PipelinePlan): readonly Step[] {
  const former = new Map((running === null ? [] : plannedOutputs(running)).map((output) => [output.id, output]));
  const next = new Map(plannedOutputs(wanted).map((output) => [output.id, output]));
  // A receiver that was told of sound waits for it: where nothing stands in for it, the streams begin anew.
  const hasLostSound = running?.capture.hasAudio === true && !wanted.capture.hasAudio;
  const isKept = (output: PlannedOutput) =>
    (output.kind === 'preview' || !hasLostSound) && isSame(former.get(output.id), next.get(output.id));
  return [
    ...[...former.values()].filter((output) => !isKept(output)).map(({ id }) => ({ kind: 'stop-output', id }) as const),
    ...[...next.values()].filter((output) => !isKept(output)).map((output) => ({ kind: 'start-output', output }) as const),
  ];
}

function plannedOutputs({ outputs, preview }: PipelinePlan): readonly PlannedOutput[] {
  return preview === undefined ? outputs : [...outputs, preview];
}

/** A capture that plays a file is the same only while it is the same file. */
export function isSameCapture(one: CapturePlan, other: CapturePlan): boolean {
  return one.description === other.description && isSameBeside(one, other);
}

/** What belongs to a capture and stands beside its description. */
export function isSameBeside(one: CapturePlan | null, other: CapturePlan): boolean {
  return (
    isSame(one?.file, other.file) &&
    isSame(one?.keyframeLook, other.keyframeLook) &&
    isSame(one?.withoutMicrophone?.card, other.withoutMicrophone?.card)
  );
}

/** Plans are JSON with their keys in one order, as the schema of the planner writes them; another order costs a restart, no more. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
