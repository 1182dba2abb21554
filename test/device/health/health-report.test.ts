import { expect, test } from 'vitest';
import { noLosses } from '#device/health/camera-losses.ts';
import { nothingWatched } from '#device/health/content-watch.ts';
import {
  type HealthFacts,
  isPipelineFailed,
  noDrops,
  observeConditions,
  rememberDrops,
  reportedSettings,
} from '#device/health/health-report.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import { fitSettings, type Prepared } from '#device/settings/prepare.ts';
import type { MediaFigures, MediaState, OutputState, OutputStatus } from '#protocol/media.ts';
import { desired, machineWith, relayKey, webcam } from '../bare-machine.ts';

const since = '2026-11-21T12:00:00Z';
const board = {
  uptimeS: 1,
  loadAverage1m: 0,
  memoryTotalBytes: 1e9,
  memoryAvailableBytes: 5e8,
  agentRssBytes: 1,
  diskTotalBytes: 32e9,
  diskFreeBytes: 16e9,
};
const onTest = fitSettings(desired(1), machineWith());
const onCamera = fitSettings(desired(1), machineWith({ cameras: [webcam] }));

function output(state: OutputState, droppedGroups = 0): OutputStatus {
  return { id: 'rtmp', kind: 'rtmp', target: 'rtmp://h/live', state, connections: 1, bytesSent: 1, droppedGroups, queuedBytes: 0 };
}

function figures(framesPerSecond: number): MediaFigures {
  return { framesPerSecond, videoBitrateKbps: 1, audioBitrateKbps: 1, framesTotal: 1, width: 1, height: 1 };
}

function status(media: MediaState, outputs: OutputStatus[] = [], framesPerSecond = 30): MediaStatus {
  return { media, figures: figures(framesPerSecond), outputs, rssBytes: 1, framesTotal: 1 };
}

const running = status({ kind: 'running', since });
const failed = status({ kind: 'failed', since, reason: 'no such device' });
const starting = status({ kind: 'starting', since });
const streaming = output({ kind: 'streaming', since });
const waiting = output({ kind: 'waiting', attempt: 2, nextTryAt: since, lastError: 'refused' });

function pausedRecording(fault: 'disk-full' | 'failed'): OutputStatus {
  const state = { kind: 'waiting', attempt: 2, nextTryAt: since, lastError: 'the disk is read-only' } as const;
  return { ...output(state), id: 'recording', kind: 'recording', recording: { file: null, fileBytes: 0, freeBytes: 1e9, fault } };
}

test('a camera that is there and cannot be used says why', () => {
  const machine = machineWith();
  const problems = [{ subject: '/dev/video0', problem: 'C270: this user may not open it: it has to be in the group video' }];
  const prepared = fitSettings(desired(1), { ...machine, hardware: { ...machine.hardware, problems } });
  expect(observeConditions({ ...well, prepared })).toContainEqual({
    code: 'test-picture',
    detail: 'no usable camera: /dev/video0: C270: this user may not open it: it has to be in the group video',
  });
});

test('of a camera that encodes by itself it is said why its bitrate does not follow the uplink, and what to do', () => {
  const modes = [h264, { ...h264, pixelFormat: 'MJPG' }];
  const machine = machineWith({ cameras: [{ ...webcam, modes }] });
  const dropping = { drops: { groups: 3, grewAtMs: 90_000 } };
  const detailOf = (facts: Partial<HealthFacts>) =>
    observeConditions({ ...well, ...dropping, ...facts }).find(({ code }) => code === 'output-dropping')?.detail;
  const own = fitSettings(desired(1), machine);
  expect(own.plan).toMatchObject({ capture: { encoder: 'camera' }, live: [] });
  expect(own.plan.adaptive).toBeUndefined();
  expect(detailOf({ prepared: own })).toMatch(
    /^3 groups .*; the camera encodes by itself, .*AV_ADAPTIVE_BITRATE.* smaller picture .*AV_VIDEO_FRAMERATE to 29,/,
  );
  const card = status({ kind: 'no-signal', since, reason: 'gone' });
  for (const facts of [{ prepared: muted }, { prepared: own, status: card }])
    expect(detailOf(facts)).toBe('3 groups of pictures dropped so far');
  // What is advised is so.
  const followed = fitSettings(desired(1, { AV_VIDEO_FRAMERATE: 29 }), machine).plan;
  expect(followed.capture.encoder).not.toBe('camera');
  expect(followed).toMatchObject({ capture: { framesPerSecond: 29 }, adaptive: { maximumKbps: 2500 } });
});

test.each(['failed', 'no-signal'] as const)('a capture that is %s says when it is tried again, once its restarts are used up', (kind) => {
  const detailOf = (media: MediaState) => observeConditions({ ...well, prepared: muted, status: status(media) })[0]?.detail;
  expect(detailOf({ kind, since, reason: 'busy' })).toBe('busy');
  expect(detailOf({ kind, since, reason: 'busy', nextTryAt: '2026-11-21T14:05:09.123Z' })).toBe(
    'restarted as often as an hour allows, next try at 14:05:09 UTC: busy',
  );
});

test('a microphone that is wanted and not used says why', () => {
  const detailOf = (facts: Partial<HealthFacts>) =>
    observeConditions({ ...well, ...facts }).find(({ code }) => code === 'no-microphone')?.detail;
  expect(detailOf({})).toBe('no microphone was found');
  const busy: MediaState = { kind: 'running', since, microphoneLostAt: since, microphoneFault: 'another program uses it' };
  expect(detailOf({ prepared: muted, status: status(busy) })).toMatch(/^another program uses it; the stream carries silence/);
  expect(detailOf({ prepared: muted, status: status({ kind: 'running', since, microphoneLostAt: since }) })).toMatch(/^it was lost;/);
  const machine = machineWith({ cameras: [webcam] });
  const lacking = { ...machine, hardware: { ...machine.hardware, elements: new Set(['alsasrc']) } };
  expect(detailOf({ prepared: fitSettings(desired(1), lacking) })).toContain('no voaacenc');
  expect(detailOf({ prepared: fitSettings(desired(1, { AV_DISABLE_AUDIO: true }), lacking) })).toBeUndefined();
});

const well: HealthFacts = {
  status: running,
  prepared: onCamera,
  complaints: [],
  board,
  clockOffset: null,
  drops: noDrops,
  losses: noLosses,
  content: nothingWatched,
  time: { nowMs: Date.parse('2026-11-21T12:00:00Z'), isTimeKnown: true },
  recordingDrops: noDrops,
  isRecordingWithState: true,
  monotonicMs: 100_000,
  wasFailed: false,
};
const pausedAt = Date.parse('2026-11-21T12:00:00Z');
const paused = fitSettings(
  desired(1, { AV_DISABLE_AUDIO: true, AV_STREAM_SCHEDULE: 'Mo 09:00-10:00', AV_TIME_ZONE: 'Europe/Berlin' }),
  machineWith({ cameras: [webcam] }),
  { nowMs: pausedAt, held: { stream: true, record: true }, isTimeKnown: true, ownZone: null },
);
const h264 = { pixelFormat: 'H264', width: 1280, height: 720, frameRates: [30] };
function native(elements = new Set<string>()): Prepared {
  const machine = machineWith({ cameras: [{ ...webcam, modes: [h264] }] });
  return fitSettings(desired(1, { AV_DISABLE_AUDIO: true }), { ...machine, hardware: { ...machine.hardware, elements } });
}
const muted = fitSettings(desired(1, { AV_DISABLE_AUDIO: true }), machineWith({ cameras: [webcam] }));
const onOwnDisk = fitSettings(
  desired(1, { AV_DISABLE_AUDIO: true }),
  machineWith({ cameras: [webcam], environment: { AV_RECORD_DIR: '/media/disk' } }),
);
const cardFull = { ...board, diskFreeBytes: 0, diskProblem: 'ENOSPC' };
const cardReadOnly = { ...board, diskProblem: 'EROFS' };
const noRoomToRecord = status(running.media, [pausedRecording('disk-full')]);
const noRecording = status(running.media, [pausedRecording('failed')]);

test.each<[string, Partial<HealthFacts>, string[]]>([
  ['camera without a microphone', {}, ['no-microphone']],
  ['audio off is no missing microphone', { prepared: muted }, []],
  ['its own H.264, and no decoder', { prepared: native(new Set(['v4l2src', 'capssetter'])) }, ['picture-unseen']],
  ['its own H.264, and nothing is decoded', { prepared: native() }, ['picture-unseen']],
  ['its own H.264, and nothing runs yet', { prepared: native(), status: starting }, []],
  [
    'its own H.264, and it is seen',
    { prepared: native(), status: { ...running, figures: { ...figures(30), picture: { lumaMean: 90, lumaMax: 200, stillS: 0 } } } },
    [],
  ],
  ['no camera', { prepared: onTest }, ['test-picture']],
  ['the test picture that somebody asked for', { prepared: fitSettings(desired(1, { AV_VIDEO_SOURCE: 'test' }), machineWith()) }, []],
  ['pipeline failed', { prepared: muted, status: failed }, ['pipeline-failed']],
  ['the card is on air', { prepared: muted, status: status({ kind: 'no-signal', since, reason: 'gone' }, [], 5) }, ['no-signal']],
  ['the microphone was lost', { prepared: muted, status: status({ kind: 'running', since, microphoneLostAt: since }) }, ['no-microphone']],
  ['a camera that was lost thrice', { prepared: muted, losses: { counted: 3, timesMs: [1, 2, 3] } }, ['camera-unstable']],
  ['a camera that was lost twice', { prepared: muted, losses: { counted: 2, timesMs: [1, 2] } }, []],
  ['a new try does not mend it', { prepared: muted, status: starting, wasFailed: true }, ['pipeline-failed']],
  ['a first start is no failure', { prepared: muted, status: starting }, []],
  ['output waits', { prepared: muted, status: status(running.media, [waiting]) }, ['output-down']],
  ['output tries again', { prepared: muted, status: status(running.media, [output({ kind: 'connecting', attempt: 3 })]) }, ['output-down']],
  ['previews do not come', { prepared: muted, status: status(running.media, [{ ...waiting, id: 'preview', kind: 'preview' }]) }, []],
  [
    'previews are tried again',
    { prepared: muted, status: status(running.media, [{ ...output({ kind: 'connecting', attempt: 3 }), id: 'preview', kind: 'preview' }]) },
    [],
  ],
  [
    'output connects for the first time',
    { prepared: muted, status: status(running.media, [output({ kind: 'connecting', attempt: 1 })]) },
    [],
  ],
  ['output streams', { prepared: muted, status: status(running.media, [streaming]) }, []],
  ['dropped a moment ago', { prepared: muted, drops: { groups: 3, grewAtMs: 90_000 } }, ['output-dropping']],
  ['dropped long ago', { prepared: muted, drops: { groups: 3, grewAtMs: 10_000 } }, []],
  ['the disk for recordings away', { prepared: { ...muted, recordingsMeanwhile: '/state/meanwhile' } }, ['recording-disk-away']],
  [
    'that and the other disk too slow',
    { prepared: { ...muted, recordingsMeanwhile: '/state/meanwhile' }, recordingDrops: { groups: 3, grewAtMs: 90_000 } },
    ['recording-disk-away', 'recording-dropping'],
  ],
  ['the disk too slow', { prepared: muted, recordingDrops: { groups: 3, grewAtMs: 90_000 } }, ['recording-dropping']],
  ['no room to record', { prepared: muted, status: status(running.media, [pausedRecording('disk-full')]) }, ['recording-disk-full']],
  ['a disk that refuses', { prepared: muted, status: status(running.media, [pausedRecording('failed')]) }, ['recording-failed']],
  ['one card, full', { prepared: muted, status: noRoomToRecord, board: cardFull }, ['recording-disk-full']],
  ['one card that refuses', { prepared: muted, status: noRecording, board: cardReadOnly }, ['recording-failed']],
  ['one card that refuses and has little left', { prepared: muted, status: noRecording, board: cardFull }, ['recording-failed']],
  [
    'one card with little left, and a recording that fails of something else',
    { prepared: muted, status: noRecording, board: { ...board, diskFreeBytes: 4e8 } },
    ['recording-failed', 'disk-low'],
  ],
  [
    'a disk for recordings that is full, and the card as well',
    { prepared: onOwnDisk, isRecordingWithState: false, status: noRoomToRecord, board: cardFull },
    ['recording-disk-full', 'disk-unwritable', 'disk-low'],
  ],
  [
    'a directory for recordings on the card, which is full',
    { prepared: onOwnDisk, status: noRoomToRecord, board: cardFull },
    ['recording-disk-full'],
  ],
  [
    'a disk for recordings that refuses, and the card as well',
    { prepared: onOwnDisk, isRecordingWithState: false, status: noRecording, board: cardReadOnly },
    ['recording-failed', 'disk-unwritable'],
  ],
  [
    'the disk for recordings away, and the card refuses',
    {
      prepared: { ...onOwnDisk, recordingsMeanwhile: '/state/meanwhile' },
      isRecordingWithState: false,
      status: noRecording,
      board: cardReadOnly,
    },
    ['recording-failed', 'recording-disk-away'],
  ],
  [
    'a recording that pauses loses groups, and says why it pauses',
    {
      prepared: muted,
      status: status(running.media, [pausedRecording('failed')]),
      recordingDrops: { groups: 3, grewAtMs: 90_000 },
    },
    ['recording-failed'],
  ],
  ['25 frames of 30', { prepared: muted, status: status(running.media, [], 25) }, ['frame-rate-low']],
  ['26 frames of 30', { prepared: muted, status: status(running.media, [], 26) }, []],
  ['few frames while starting', { prepared: muted, status: status(starting.media, [], 2) }, []],
  ['a picture that is less than was asked for', { prepared: { ...muted, shortfall: 'wished more, given less' } }, ['mode-not-met']],
  ['81 °C', { prepared: muted, board: { ...board, temperatureC: 81 } }, ['board-hot']],
  ['80 °C', { prepared: muted, board: { ...board, temperatureC: 80 } }, []],
  ['400 MB free', { prepared: muted, board: { ...board, diskFreeBytes: 4e8 } }, ['disk-low']],
  ['4 % free', { prepared: muted, board: { ...board, diskTotalBytes: 1e12, diskFreeBytes: 4e10 } }, ['disk-low']],
  ['a disk that does not say', { prepared: muted, board: { ...board, diskTotalBytes: 0, diskFreeBytes: 0 } }, []],
  ['a disk that is read-only', { prepared: muted, board: { ...board, diskProblem: 'EROFS' } }, ['disk-unwritable']],
  ['a worn card', { prepared: muted, board: { ...board, cardWearPercent: 90 } }, ['card-worn']],
  ['too little power now', { prepared: muted, board: { ...board, powerNow: ['under-voltage'] } }, ['under-voltage']],
  ['too little power before', { prepared: muted, board: { ...board, powerSinceBoot: ['under-voltage'] } }, ['power-was-low']],
  ['slowed down', { prepared: muted, board: { ...board, powerNow: ['throttled'] } }, ['throttled']],
  ['little memory', { prepared: muted, board: { ...board, memoryTotalBytes: 4e9, memoryAvailableBytes: 1e8 } }, ['memory-low']],
  ['a small board with 10 %', { prepared: muted, board: { ...board, memoryTotalBytes: 4e8, memoryAvailableBytes: 4e7 } }, []],
  ['a weak signal', { prepared: muted, board: { ...board, wifiSignalDbm: -75 } }, ['wifi-weak']],
  ['a fair signal', { prepared: muted, board: { ...board, wifiSignalDbm: -74 } }, []],
  ['a clock that is an hour ahead', { prepared: muted, clockOffset: { offsetMs: 3_600_000, precisionMs: 600 } }, ['clock-wrong']],
  ['a clock that may be right', { prepared: muted, clockOffset: { offsetMs: -5500, precisionMs: 600 } }, []],
  ['refused', { prepared: muted, complaints: [{ key: 'AV_VIDEO_SOURCE', reason: 'gone' }] }, ['settings-refused']],
  ['outside the streaming hours', { prepared: paused }, ['outside-schedule']],
  ['a clock that was never set', { prepared: muted, time: { nowMs: 60_000, isTimeKnown: false } }, ['clock-not-set']],
  ['no host', { prepared: muted, status: null }, []],
])('%s', (_name, facts, codes) => {
  expect(observeConditions({ ...well, ...facts }).map(({ code }) => code)).toEqual(codes);
});

test('an output that is down says why, also while it tries again', () => {
  const states: OutputState[] = [waiting.state, { kind: 'connecting', attempt: 3, lastError: 'refused' }];
  const details = states.map(
    (state) => observeConditions({ ...well, prepared: muted, status: status(running.media, [output(state)]) })[0]?.detail,
  );
  expect(details).toEqual(['rtmp (rtmp://h/live): refused', 'rtmp (rtmp://h/live): refused']);
});

test('the pause says until when, in the time of the place', () => {
  const pause = observeConditions({ ...well, prepared: paused }).find(({ code }) => code === 'outside-schedule');
  expect(pause?.detail).toBe('outside its streaming hours until Monday, 23 November 2026 at 09:00 (Europe/Berlin)');
});

test('failed until frames come', () => {
  expect([running, failed, starting, null].map((now) => isPipelineFailed(now, true))).toEqual([false, true, true, true]);
});

test('drops: growth is remembered, a new host that counts from nought is no growth', () => {
  const first = rememberDrops(noDrops, [output({ kind: 'stopped' }, 2)], 10);
  expect(first).toEqual({ groups: 2, grewAtMs: 10 });
  const restarted = rememberDrops(first, [output({ kind: 'stopped' }, 0)], 20);
  expect(restarted).toEqual({ groups: 0, grewAtMs: 10 });
});

test('of a secret the report says only that there is one', () => {
  const settings = reportedSettings(onTest);
  expect(settings['AV_STREAM_KEY']).toEqual({ value: true, level: 'relay', isSecret: true });
  expect(settings['AV_STREAM_URL']).toEqual({ value: 'rtmp://fleet.example:1935/live', level: 'relay' });
  expect(JSON.stringify(settings)).not.toContain(relayKey);
});
