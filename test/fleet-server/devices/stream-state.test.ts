import { expect, test } from 'vitest';
import { settle } from '#fleet-server/devices/live-transitions.ts';
import { type StreamView, streamState } from '#fleet-server/devices/stream-state.ts';
import type { OutputState, OutputStatus } from '#protocol/media.ts';
import { bodies } from '../api-under-test.ts';
import { quietDevice } from './quiet-device.ts';

const since = '2026-11-21T12:00:00.000Z';
const output = (state: OutputState): readonly OutputStatus[] => [
  { id: 'rtmp', kind: 'rtmp', target: 'rtmp://relay/live', state, connections: 1, bytesSent: 0, droppedGroups: 0, queuedBytes: 0 },
];
const streaming = output({ kind: 'streaming', since });
const base: StreamView = {
  waitingSinceMs: null,
  blockedSinceMs: null,
  presence: { state: 'online', since, reason: 'Connected.' },
  media: { kind: 'running', since },
  outputs: streaming,
  conditions: [],
  reception: null,
  streamsHere: true,
  missingSinceMs: null,
  relayProblem: null,
};
const relayProblem = { serverId: 'b', server: 'b:80', kind: 'down', detail: 'The relay of b:80 is down.', sinceMs: 0 } as const;
const offline = { state: 'offline', since, reason: 'The connection was lost.' } as const;
const reception = bodies.reception;
const stopped = [{ code: 'stopped-by-command', since }];
const failed = { kind: 'failed', since, reason: 'no camera' } as const;

test.each<[string, Partial<StreamView>, string]>([
  ['the relay receives it', { reception }, 'live'],
  ['it is blocked, whatever it says', { blockedSinceMs: 0 }, 'offline'],
  ['it waits for approval', { waitingSinceMs: 0, outputs: [] }, 'stopped'],
  ['the relay receives it though the agent is gone', { reception, presence: offline }, 'live'],
  ['the relay receives it though the device says that it failed', { reception, media: { kind: 'failed', since, reason: 'x' } }, 'live'],
  ['the device is gone, whatever it said last', { presence: offline }, 'offline'],
  ['the server has just started', { presence: { state: 'unknown', since, reason: '' } }, 'unknown'],
  ['connected, no report yet', { media: null }, 'unknown'],
  ['starting', { media: { kind: 'starting', since } }, 'starting'],
  ['failed', { media: { kind: 'failed', since, reason: 'no camera' } }, 'failed'],
  ['the card is on air', { reception, media: { kind: 'no-signal', since, reason: 'gone' } }, 'no-signal'],
  ['the card is on air elsewhere', { streamsHere: false, media: { kind: 'no-signal', since, reason: 'gone' } }, 'no-signal'],
  ['the card does not arrive', { media: { kind: 'no-signal', since, reason: 'gone' }, missingSinceMs: 7000 }, 'not-arriving'],
  ['the card of an agent that is gone', { reception, presence: offline, media: { kind: 'no-signal', since, reason: 'gone' } }, 'live'],
  ['stopped', { media: { kind: 'stopped', since } }, 'stopped'],
  ['it captures without a target', { outputs: [] }, 'stopped'],
  ['it was told to stop', { outputs: [], conditions: stopped }, 'stopped'],
  ['it was told to stop, and its camera fails', { outputs: [], conditions: stopped, media: failed }, 'stopped'],
  ['it was told to stop, and still arrives', { conditions: stopped, reception }, 'live'],
  ['it was told to stop, and is gone', { conditions: stopped, presence: offline }, 'offline'],
  ['it connects', { outputs: output({ kind: 'connecting', attempt: 1 }) }, 'starting'],
  ['it says that it streams, since just now', { missingSinceMs: 8000 }, 'starting'],
  ['it says that it streams, and nothing arrives', { missingSinceMs: 7000 }, 'not-arriving'],
  [
    'it cannot reach the relay',
    { outputs: output({ kind: 'waiting', attempt: 2, nextTryAt: since, lastError: 'refused' }) },
    'not-arriving',
  ],
  ['the relay that it streams to is down', { relayProblem, missingSinceMs: 7000 }, 'not-arriving'],
  ['the relay that it connects to is down', { relayProblem, outputs: output({ kind: 'connecting', attempt: 2 }) }, 'not-arriving'],
  ['the server whose relay it streams to is gone', { relayProblem: { ...relayProblem, kind: 'gone' }, missingSinceMs: 7000 }, 'unknown'],
  ['its relay is down, and it captures nothing', { relayProblem, media: failed }, 'failed'],
  ['its relay is down, and it is gone', { relayProblem, presence: offline }, 'offline'],
  ['it streams to somebody else', { streamsHere: false }, 'elsewhere'],
  [
    'it cannot reach somebody else',
    { streamsHere: false, outputs: output({ kind: 'waiting', attempt: 2, nextTryAt: since, lastError: 'refused' }) },
    'failed',
  ],
])('%s', (_name, view, expected) => {
  expect(streamState({ ...base, ...view }, 10_000).kind).toBe(expected);
});

test('a device that connects again says why it had to', () => {
  const again = output({ kind: 'connecting', attempt: 2, lastError: 'no answer from the server' });
  expect(streamState({ ...base, outputs: again }, 10_000)).toMatchObject({
    kind: 'starting',
    detail: expect.stringMatching(/^It connects to \S+ again: no answer from the server$/),
  });
});

test('a device that was told to stop says so', () => {
  expect(streamState({ ...base, outputs: [], conditions: stopped }, 10_000)).toEqual({
    kind: 'stopped',
    detail: 'By command, until somebody starts it again.',
  });
});

test('a device outside its streaming hours says until when', () => {
  const conditions = [{ code: 'outside-schedule', since, detail: 'outside its streaming hours until Monday at 09:00' }];
  expect(streamState({ ...base, outputs: [], conditions }, 10_000)).toEqual({
    kind: 'stopped',
    detail: 'By its schedule: outside its streaming hours until Monday at 09:00.',
  });
});

test('a stream that does not arrive is missed three seconds after the clock was set back, not hours later', () => {
  const missing = { ...quietDevice, media: base.media, outputs: streaming, stream: { ...quietDevice.stream, kind: 'starting' as const } };
  const early = settle(missing, missing.presence, null, 7_200_000);
  const setBack = settle(early, missing.presence, null, 3_600_000);
  expect(setBack.stream.kind).toBe('starting');
  expect(settle(setBack, missing.presence, null, 3_603_000).stream.kind).toBe('not-arriving');
});
