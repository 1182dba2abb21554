/** The watchdog's policy as it is typed, and as the server takes it. Pure. */
import {
  type WatchdogCommand,
  type WatchdogFault,
  type WatchdogPolicy,
  type WatchdogPolicyAnswer,
  type WatchdogResponse,
  watchdogCommands,
  watchdogFaults,
} from '#protocol/model/watchdog.ts';

/** Numbers are as typed. */
export type FaultDraft = { readonly response: WatchdogResponse; readonly holdS: string };
export type StepDraft = { readonly isTaken: boolean; readonly attempts: string; readonly maxAnHour: string };
export type PaceField = 'firstPauseS' | 'maxPauseS' | 'forgiveAfterS' | 'maxAnHour';

export type PolicyDraft = {
  readonly faults: { readonly [Fault in WatchdogFault]: FaultDraft };
  /** The server takes them in this order alone, each once: of each is said whether it is taken. */
  readonly steps: { readonly [Command in WatchdogCommand]: StepDraft };
  readonly pace: { readonly [Field in PaceField]: string };
};

export type PolicyField = `${WatchdogFault}/holdS` | `${WatchdogCommand}/${'attempts' | 'maxAnHour'}` | 'steps' | PaceField;
export type PolicyProblems = { readonly [Field in PolicyField]?: string };
export type CheckedPolicy =
  | { readonly kind: 'policy'; readonly policy: WatchdogPolicy }
  | { readonly kind: 'problems'; readonly problems: PolicyProblems };

type Bounds = { readonly from: number; readonly to: number };

export const holdBounds: Bounds = { from: 1, to: 3600 };
export const stepBounds = {
  attempts: { from: 1, to: 10 },
  maxAnHour: { from: 0, to: 12 },
} as const satisfies { readonly [Field in 'attempts' | 'maxAnHour']: Bounds };
export const paceBounds: { readonly [Field in PaceField]: Bounds } = {
  firstPauseS: { from: 5, to: 3600 },
  maxPauseS: { from: 5, to: 3600 },
  forgiveAfterS: { from: 10, to: 86_400 },
  maxAnHour: { from: 0, to: 60 },
};

export function draftOf(policy: WatchdogPolicy): PolicyDraft {
  const stepOf = (command: WatchdogCommand): StepDraft => {
    const step = policy.steps.find((one) => one.command === command);
    return { isTaken: step !== undefined, attempts: String(step?.attempts ?? 1), maxAnHour: String(step?.maxAnHour ?? 1) };
  };
  const holdOf = (fault: WatchdogFault): FaultDraft => ({ ...policy.faults[fault], holdS: String(policy.faults[fault].holdS) });
  return {
    faults: {
      'pipeline-failed': holdOf('pipeline-failed'),
      'stream-not-arriving': holdOf('stream-not-arriving'),
      'picture-frozen': holdOf('picture-frozen'),
      'picture-black': holdOf('picture-black'),
      'audio-silent': holdOf('audio-silent'),
    },
    steps: {
      'restart-pipeline': stepOf('restart-pipeline'),
      'restart-media-host': stepOf('restart-media-host'),
      'restart-agent': stepOf('restart-agent'),
      reboot: stepOf('reboot'),
    },
    pace: {
      firstPauseS: String(policy.firstPauseS),
      maxPauseS: String(policy.maxPauseS),
      forgiveAfterS: String(policy.forgiveAfterS),
      maxAnHour: String(policy.maxAnHour),
    },
  };
}

export function checkPolicy(draft: PolicyDraft): CheckedPolicy {
  const problems: { [Field in PolicyField]?: string } = {};
  const check = (field: PolicyField, text: string, bounds: Bounds): void => {
    if (!isWhole(text, bounds)) problems[field] = `A whole number from ${bounds.from} to ${bounds.to}.`;
  };
  for (const fault of watchdogFaults) check(`${fault}/holdS`, draft.faults[fault].holdS, holdBounds);
  const taken = watchdogCommands.filter((command) => draft.steps[command].isTaken);
  if (taken.length === 0)
    problems.steps = 'At least one step. For none at all, let each fault only be told, or set the bound an hour to 0.';
  for (const command of taken) {
    check(`${command}/attempts`, draft.steps[command].attempts, stepBounds.attempts);
    check(`${command}/maxAnHour`, draft.steps[command].maxAnHour, stepBounds.maxAnHour);
  }
  for (const field of paceFields) check(field, draft.pace[field], paceBounds[field]);
  const { firstPauseS, maxPauseS } = draft.pace;
  const arePauses = problems.firstPauseS === undefined && problems.maxPauseS === undefined;
  if (arePauses && Number(maxPauseS) < Number(firstPauseS)) problems.maxPauseS = 'Not shorter than the first pause.';
  return Object.keys(problems).length > 0 ? { kind: 'problems', problems } : { kind: 'policy', policy: policyOf(draft, taken) };
}

export const paceFields: readonly PaceField[] = ['firstPauseS', 'maxPauseS', 'forgiveAfterS', 'maxAnHour'];

function isWhole(text: string, { from, to }: Bounds): boolean {
  return /^\d{1,6}$/.test(text) && Number(text) >= from && Number(text) <= to;
}

function policyOf({ faults, steps, pace }: PolicyDraft, taken: readonly WatchdogCommand[]): WatchdogPolicy {
  const rule = ({ response, holdS }: FaultDraft) => ({ response, holdS: Number(holdS) });
  return {
    faults: {
      'pipeline-failed': rule(faults['pipeline-failed']),
      'stream-not-arriving': rule(faults['stream-not-arriving']),
      'picture-frozen': rule(faults['picture-frozen']),
      'picture-black': rule(faults['picture-black']),
      'audio-silent': rule(faults['audio-silent']),
    },
    steps: taken.map((command) => ({
      command,
      attempts: Number(steps[command].attempts),
      maxAnHour: Number(steps[command].maxAnHour),
    })),
    firstPauseS: Number(pace.firstPauseS),
    maxPauseS: Number(pace.maxPauseS),
    forgiveAfterS: Number(pace.forgiveAfterS),
    maxAnHour: Number(pace.maxAnHour),
  };
}

/** Whether the server would be told anything new; what is wrong counts as new. */
export function isChanged(draft: PolicyDraft, inForce: WatchdogPolicy): boolean {
  return JSON.stringify(checkPolicy(draft)) !== JSON.stringify(checkPolicy(draftOf(inForce)));
}

/** Which policy this is: another one when somebody has set one, or taken one back. */
export function versionOf({ level, changedAt }: WatchdogPolicyAnswer): string {
  return `${level} ${changedAt ?? ''}`;
}
