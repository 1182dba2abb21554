/** A device as the watchdog sees it: as it should be, and otherwise. */
import type { DeviceView } from '#fleet-server/watchdog/contract.ts';
import type { RelayReception } from '#protocol/model/device.ts';

export const since = '2026-01-01T00:00:00.000Z';
const reception: RelayReception = {
  receivingSince: since,
  bitrateKbps: 2500,
  bytesReceived: 1000,
  width: 1280,
  height: 720,
  framesPerSecond: 30,
  videoCodec: 'H264',
  audioCodec: 'AAC',
  viewers: 0,
};
export const output = (kind: 'streaming' | 'waiting'): DeviceView['outputs'][number] => ({
  id: 'rtmp',
  kind: 'rtmp',
  target: 'rtmp://relay/live',
  state: kind === 'streaming' ? { kind, since } : { kind, attempt: 1, nextTryAt: since, lastError: 'refused' },
  connections: 1,
  bytesSent: 0,
  droppedGroups: 0,
  queuedBytes: 0,
});
export const good: DeviceView = {
  id: 'dev-one',
  group: null,
  conditions: [],
  report: null,
  presence: { state: 'online', since },
  media: { kind: 'running', since },
  outputs: [output('streaming')],
  reception,
  streamsHere: true,
};
export const failed: DeviceView = {
  ...good,
  media: { kind: 'failed', since, reason: 'the camera is gone' },
  reception: null,
  outputs: [output('waiting')],
};
export const atRest: DeviceView = { ...failed, outputs: [], conditions: [{ code: 'stopped-by-command' }] };
export const recording: DeviceView['outputs'][number] = { ...output('streaming'), id: 'recording', kind: 'recording' };
export const preview: DeviceView['outputs'][number] = { ...output('waiting'), id: 'preview', kind: 'preview' };
export const missing: DeviceView = { ...good, reception: null };
export const elsewhere = (view: DeviceView): DeviceView => ({ ...view, reception: null, streamsHere: false });
export const offline = (view: DeviceView): DeviceView => ({ ...view, presence: { state: 'offline', since: '2026-01-01T00:00:01.000Z' } });
export const reconnected = (view: DeviceView): DeviceView => ({
  ...view,
  presence: { state: 'online', since: '2026-01-01T00:00:02.000Z' },
});
