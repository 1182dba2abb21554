/** A device that is connected, streams, and has nothing to say of itself. */
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';

const since = '2026-11-21T12:00:00.000Z';

export const quietDevice: LiveDevice = {
  id: 'pi-1',
  group: null,
  waitingSinceMs: null,
  blockedSinceMs: null,
  boardId: null,
  otherBoardSeenMs: null,
  twice: null,
  losses: { atMs: [], unstableSinceMs: null },
  presence: { state: 'online', since, reason: '' },
  heardAtMs: null,
  session: null,
  media: null,
  outputs: [],
  adaptation: null,
  conditions: [],
  figures: { framesPerSecond: 25, videoBitrateKbps: 1, audioBitrateKbps: 1, framesTotal: 1, width: 1, height: 1 },
  board: null,
  recordings: null,
  versions: null,
  report: null,
  reception: null,
  relayProblem: null,
  streamsHere: true,
  missingSinceMs: null,
  stream: { kind: 'live', since, detail: '' },
  previewAtMs: null,
  snapshotAtMs: null,
};
