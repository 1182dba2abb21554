/** What was said of cameras that are there and cannot be used, for the condition and the doctor. Pure. */
import type { DetectionProblem } from '#device/detect/facts.ts';

export const cameraModuleSubject = 'libcamera';
const mostShown = 3;
const mostCharacters = 300;

/** Empty: nothing is known of any. */
export function describeUnusableCameras(problems: readonly DetectionProblem[]): string {
  const found = problems.filter(({ subject }) => subject === cameraModuleSubject || /^\/dev\/video\d+$/.test(subject));
  const words = found
    .slice(0, mostShown)
    .map(({ subject, problem }) => (subject === cameraModuleSubject ? problem : `${subject}: ${problem}`));
  const rest = found.length > mostShown ? [`and ${found.length - mostShown} more`] : [];
  return [...words, ...rest].join('; ').slice(0, mostCharacters);
}

/** Why v4l2-ctl could not open a node, from what it wrote to stderr; it says the system's own words for the error. */
export function whyNotOpened(exitCode: number, stderr: string): string {
  if (/permission denied/i.test(stderr)) return 'this user may not open it: it has to be in the group video';
  if (/resource busy/i.test(stderr)) return 'another program uses it';
  if (/no such (?:file|device)/i.test(stderr)) return 'it has gone again';
  const line = stderr.split('\n', 1)[0]?.trim().slice(0, 120) ?? '';
  return `v4l2-ctl ended with ${exitCode} and told nothing of the driver${line === '' ? '' : ` (${line})`}`;
}
