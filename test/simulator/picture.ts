/** What a simulated device says of its picture, and what the relay gets of it. */
import type { Report } from '#protocol/messages.ts';

const since = '2026-11-21T12:00:00.000Z';
const reason = 'no frames from the camera';

/** Of the commands that a device knows, those that make its pipeline anew. */
export const mendingCommands = ['restart-pipeline', 'restart-media-host', 'restart-agent'] as const;

/** Empty: it says what a device says that is well. */
export function saidOfFailure(isFailed: boolean): Partial<Pick<Report, 'media' | 'outputs' | 'conditions'>> {
  if (!isFailed) return {};
  return { media: { kind: 'failed', since, reason }, outputs: [], conditions: [{ code: 'pipeline-failed', since, detail: reason }] };
}
