/** What is on air, and where it goes, in words for the log, the history and whoever looks at this machine. Pure. */
import { isStandInPicture } from '#device/health/health-report.ts';
import { describePause } from '#device/schedule/outlets.ts';
import type { Prepared } from '#device/settings/prepare.ts';

/** No camera, no microphone, or a setting that waits for one. */
export function isSomethingMissing(prepared: Prepared): boolean {
  return missingIn(prepared).length > 0;
}

/** Whether `after` has something that is missing in `before`. */
export function isMended(before: Prepared, after: Prepared): boolean {
  const still = missingIn(after);
  return missingIn(before).some((thing) => !still.includes(thing));
}

function missingIn(prepared: Prepared): readonly string[] {
  const hasNoCamera = isStandInPicture(prepared) || prepared.plan.capture.source.kind === 'no-signal';
  return [
    ...(hasNoCamera ? ['camera'] : []),
    ...(prepared.noSound === null ? [] : ['microphone']),
    ...prepared.leftOut.map(({ key }) => key),
  ];
}

export function describeStream(prepared: Prepared): string {
  const { outputs } = prepared.plan;
  if (prepared.isStreamSwitchedOn === false) return `not streaming ${describeSource(prepared)}: stopped by command`;
  if (prepared.isStreamSwitchedOn === null && !prepared.schedule.allowed.stream)
    return `not streaming ${describeSource(prepared)}: ${describePause(prepared.schedule)}`;
  const targets = outputs.length === 0 ? whyNowhere(prepared) : outputs.map(({ target }) => target).join(', ');
  const line = `streaming ${describeSource(prepared)}; to ${targets}`;
  return prepared.isWaitingForApproval ? `${line}; this device waits until somebody approves it in the fleet’s dashboard` : line;
}

function whyNowhere({ leftOut }: Prepared): string {
  const refusal = leftOut.find(({ key }) => key === 'AV_STREAM_URL');
  return refusal === undefined ? 'nowhere yet: waiting for the fleet server' : `nowhere: ${refusal.reason}`;
}

export function describeSource(prepared: Prepared): string {
  const { source, width, height, framesPerSecond, encoder } = prepared.plan.capture;
  const picture = `${width}x${height}, ${framesPerSecond}/s, ${encoder}`;
  if (isStandInPicture(prepared)) return `the test picture: no camera was found (${picture})`;
  return source.kind === 'test' ? `the test picture (${picture})` : `${source.label} (${picture})`;
}
