/**
 * On a wire that several servers share, each hears a part of what a device says. Each writes down what it knows, and takes over from the
 * others what is newer: by session and sequence, so that all come to the same, in whatever order things are read. Pure.
 *
 * INVARIANT: what is older never takes the place of what is newer, and a session that is over stays over.
 */
import { type LiveDevice, type SessionPosition, saidFields } from '#fleet-server/devices/live-device.ts';
import type { UpwardName } from '#protocol/envelope.ts';

export type HeardDevice = Pick<LiveDevice, (typeof saidFields)[number]>;

/** `ownPictures`: of those that the writing server has itself. */
export function writeHeard(live: LiveDevice, ownPictures: Pick<LiveDevice, 'previewAtMs' | 'snapshotAtMs'>): string {
  return JSON.stringify({ ...Object.fromEntries(saidFields.map((field) => [field, live[field]])), ...ownPictures });
}

/** Written by a server of the same version; null: it knows nothing (any more). */
export function readHeard(document: string | null): HeardDevice | null {
  return document === null ? null : (JSON.parse(document) as HeardDevice);
}

/** What another server knows, put into what this one knows; undefined when there is nothing new in it. */
export function mergeHeard(live: LiveDevice, heard: HeardDevice): LiveDevice | undefined {
  const theirs = heard.session;
  if (theirs === null) return undefined;
  const ours = live.session;
  const order = ours === null ? 1 : compareSessions(theirs, ours);
  if (order < 0 || (ours !== null && order === 0 && !bringsNews(theirs, ours))) return undefined;
  const isNewer = (...names: readonly UpwardName[]) => {
    const newest = (position: SessionPosition | null) => Math.max(...names.map((name) => position?.sequences[name] ?? -1));
    return newest(theirs) > (order > 0 ? -1 : newest(ours));
  };
  return {
    ...live,
    session: order > 0 || ours === null ? theirs : joined(ours, theirs),
    ...(isNewer('hello') ? { versions: heard.versions } : {}),
    ...(isNewer('report') ? { streamsHere: heard.streamsHere } : {}),
    ...(isNewer('report', 'health') ? { media: heard.media, outputs: heard.outputs, conditions: heard.conditions } : {}),
    ...(isNewer('health')
      ? { adaptation: heard.adaptation, figures: heard.figures, board: heard.board, recordings: heard.recordings }
      : {}),
  };
}

/** Two boots with one number: the same one counts at every server. */
function compareSessions(a: SessionPosition, b: SessionPosition): number {
  if (a.era !== b.era) return a.era - b.era;
  if (a.counter !== b.counter) return a.counter - b.counter;
  if (a.bootId === b.bootId) return 0;
  return a.bootId < b.bootId ? -1 : 1;
}

function bringsNews(theirs: SessionPosition, ours: SessionPosition): boolean {
  if (over(theirs, ours) !== ours.over) return true;
  return Object.entries(theirs.sequences).some(([name, sequence]) => sequence > (ours.sequences[name as UpwardName] ?? -1));
}

function joined(ours: SessionPosition, theirs: SessionPosition): SessionPosition {
  const sequences: { [N in UpwardName]?: number } = { ...ours.sequences };
  for (const [name, sequence] of Object.entries(theirs.sequences)) {
    sequences[name as UpwardName] = Math.max(sequence, sequences[name as UpwardName] ?? -1);
  }
  return { ...ours, sequences, over: over(theirs, ours) };
}

function over(a: SessionPosition, b: SessionPosition): SessionPosition['over'] {
  if (a.over === 'stopping' || b.over === 'stopping') return 'stopping';
  return a.over ?? b.over;
}
