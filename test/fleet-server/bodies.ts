/** What devices of the tests say. */
import type { BoardHealth, Report } from '#protocol/messages.ts';

export const someDigest = 'a'.repeat(64);

const board: BoardHealth = {
  uptimeS: 100,
  loadAverage1m: 0.5,
  memoryTotalBytes: 1e9,
  memoryAvailableBytes: 5e8,
  agentRssBytes: 5e7,
  mediaHostRssBytes: 6e7,
  diskTotalBytes: 1e10,
  diskFreeBytes: 5e9,
};

const since = '2026-11-21T12:00:00.000Z';
const rtmpOutput = {
  id: 'rtmp',
  kind: 'rtmp',
  target: 'rtmp://fleet.local:1935/live',
  state: { kind: 'streaming', since },
  connections: 1,
  bytesSent: 1000,
  droppedGroups: 0,
  queuedBytes: 0,
} as const;

export const bodies = {
  online: { state: 'online', reason: 'connected' },
  lost: { state: 'offline', reason: 'connection-lost' },
  stopping: { state: 'offline', reason: 'stopping' },
  hello: (appliedRevision = 0, appliedDigest: string | null = null) => ({
    inventoryDigest: someDigest,
    versions: { agent: '1', node: '24', gstreamer: '1.22', os: 'Debian' },
    appliedRevision,
    appliedDigest,
  }),
  report: (changes: Partial<Report> = {}): Report => ({
    inventory: { board: { id: 'pc', name: 'A computer', architecture: 'x64' }, cameras: [], microphones: [], encoders: ['x264enc'] },
    settings: {
      AV_STREAM_URL: { value: 'rtmp://fleet.local:1935/live', level: 'relay' },
      AV_STREAM_KEY: { value: true, level: 'relay', isSecret: true },
      AV_VIDEO_WIDTH: { value: 1280, level: 'default' },
      AV_VIDEO_BITRATE: { value: 1500, level: 'environment' },
    },
    source: { kind: 'test', id: 'test', label: 'Test picture' },
    encoder: 'x264enc',
    media: { kind: 'running', since },
    outputs: [rtmpOutput],
    conditions: [],
    appliedRevision: 0,
    capabilities: ['restart-pipeline'],
    ...changes,
  }),
  health: (framesPerSecond = 30) => ({
    media: { kind: 'running' as const, since },
    figures: { framesPerSecond, videoBitrateKbps: 2500, audioBitrateKbps: 128, framesTotal: 100, width: 1280, height: 720 },
    outputs: [rtmpOutput],
    conditions: [],
    board,
  }),
  reception: {
    receivingSince: since,
    bitrateKbps: 2600,
    bytesReceived: 100_000,
    width: 1280,
    height: 720,
    framesPerSecond: 30,
    videoCodec: 'H264',
    audioCodec: 'AAC',
    viewers: 0,
  },
} as const;
