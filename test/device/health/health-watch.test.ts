import { expect, test } from 'vitest';
import { HealthWatch } from '#device/health/health-watch.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import { fitSettings } from '#device/settings/prepare.ts';
import type { MediaState, OutputState } from '#protocol/media.ts';
import type { Health, Report } from '#protocol/messages.ts';
import { desired, machineWith } from '../bare-machine.ts';
import { manualClock, settle } from '../manual-clock.ts';

const since = '2026-11-21T12:00:00Z';
const board = {
  uptimeS: 1,
  loadAverage1m: 0,
  memoryTotalBytes: 1e9,
  memoryAvailableBytes: 1e9,
  agentRssBytes: 1,
  diskTotalBytes: 0,
  diskFreeBytes: 0,
};
const running: MediaState = { kind: 'running', since };
const streaming: OutputState = { kind: 'streaming', since };
const waiting: OutputState = { kind: 'waiting', attempt: 1, nextTryAt: since, lastError: 'refused' };

function status(media: MediaState, output: OutputState = streaming, bytesSent = 1, framesPerSecond = 30): MediaStatus {
  const figures = { framesPerSecond, videoBitrateKbps: 1, audioBitrateKbps: 1, framesTotal: 1, width: 1, height: 1 };
  const outputs = [
    { id: 'rtmp', kind: 'rtmp', target: 'rtmp://h', state: output, connections: 1, bytesSent, droppedGroups: 0, queuedBytes: 0 } as const,
  ];
  return { media, figures, outputs, rssBytes: 1, framesTotal: 1 };
}

async function startedWatch(random = 0.5) {
  const clock = manualClock();
  const health: { atMs: number; body: Health }[] = [];
  const reports: { atMs: number; body: Report }[] = [];
  const states: string[] = [];
  const startedMs = clock.monotonicMs();
  const prepared = fitSettings(desired(1, { AV_VIDEO_SOURCE: 'test' }), machineWith());
  const watch = new HealthWatch({
    clock,
    random: () => random,
    sampleBoard: async () => board,
    clockOffset: () => null,
    time: () => ({ nowMs: clock.nowMs(), isTimeKnown: true }),
    prepared: () => prepared,
    recordings: () => null,
    isRecordingWithState: () => true,
    complaints: () => [],
    inventory: () => ({ board: { id: 'pc', name: 'PC', architecture: 'x86_64' }, cameras: [], microphones: [], encoders: [] }),
    appliedRevision: () => 1,
    sendHealth: (body) => health.push({ atMs: clock.monotonicMs() - startedMs, body }),
    sendReport: (body) => reports.push({ atMs: clock.monotonicMs() - startedMs, body }),
    onPulse: () => undefined,
    onMediaState: ({ kind }) => states.push(kind),
  });
  await watch.start();
  return { clock, watch, health, reports, states };
}

test.each([
  [0, 9000],
  [0.5, 10_000],
  [1, 11_000],
])('health each 10 s with jitter (random %d)', async (random, everyMs) => {
  const { clock, health } = await startedWatch(random);
  await clock.advance(3 * everyMs);
  expect(health.map(({ atMs }) => atMs)).toEqual([everyMs, 2 * everyMs, 3 * everyMs]);
});

test('health at once when the media state changes, and not with every word of the host', async () => {
  const { clock, watch, health, states } = await startedWatch();
  watch.onStatus(status(running));
  for (let second = 0; second < 5; second += 1) {
    watch.onStatus(status(running, streaming, second));
    await clock.advance(1000);
  }
  watch.onStatus(status({ kind: 'failed', since, reason: 'unplugged' }));
  expect(health.map(({ atMs, body }) => [atMs, body.media.kind])).toEqual([
    [0, 'running'],
    [5000, 'failed'],
  ]);
  expect(states).toEqual(['running', 'failed']);
  expect(watch.isSomethingLost()).toBe(true);
});

test('health at once when the microphone is lost, so that it is looked for', async () => {
  const { clock, watch, health, states } = await startedWatch();
  watch.onStatus(status(running));
  await clock.advance(1000);
  const lost: MediaState = { kind: 'running', since, microphoneLostAt: since, microphoneFault: 'it is not there any more' };
  for (const media of [lost, lost, running]) watch.onStatus(status(media));
  expect(health.map(({ atMs }) => atMs)).toEqual([0, 1000, 1000]);
  expect(states).toEqual(['running', 'running', 'running']);
  expect(watch.isSomethingLost()).toBe(false);
});

test('health at once when the picture has another size, so that the figures of a change need not be waited for', async () => {
  const { clock, watch, health } = await startedWatch();
  watch.onStatus({ ...status(running), figures: null });
  await clock.advance(1000);
  watch.onStatus(status(running));
  await clock.advance(1000);
  watch.onStatus(status(running));
  expect(health.map(({ atMs, body }) => [atMs, body.figures?.width])).toEqual([
    [0, undefined],
    [1000, 1],
  ]);
});

test('a report on change, changes of a moment taken together, and each 60 s', async () => {
  const { clock, watch, reports } = await startedWatch();
  watch.onStatus(status(running, waiting));
  watch.onStatus(status(running, streaming));
  watch.changed();
  await clock.advance(1000);
  expect(reports.map(({ atMs }) => atMs)).toEqual([200]);
  for (let second = 1; second < 58; second += 1) {
    watch.onStatus(status(running, streaming, second * 1000));
    await clock.advance(1000);
  }
  expect(reports).toHaveLength(1);
  await clock.advance(3000);
  expect(reports.map(({ atMs }) => atMs)).toEqual([200, 60_000]);
});

test('a condition that has lasted long enough is a change', async () => {
  const { clock, watch, reports } = await startedWatch();
  for (let second = 0; second < 15; second += 1) {
    watch.onStatus(status(running, streaming, 1, 20));
    await clock.advance(1000);
  }
  expect(reports.map(({ body }) => body.conditions.map(({ code }) => code))).toEqual([[], ['frame-rate-low']]);
  expect(reports[1]?.atMs).toBeGreaterThanOrEqual(10_000);
});

test('a host that is lost is being started, since then', async () => {
  const { clock, watch, health } = await startedWatch();
  watch.onStatus(status(running));
  await clock.advance(2000);
  watch.onStatus(null);
  expect(health.at(-1)?.body).toMatchObject({ media: { kind: 'starting', since: '2026-11-21T12:00:02.000Z' }, figures: null, outputs: [] });
});

test('a server that hears us for the first time is told all; after a stop nothing more', async () => {
  const { clock, watch, health, reports } = await startedWatch();
  watch.tellAll();
  expect([health.length, reports.length]).toEqual([1, 1]);
  watch.stop();
  watch.stop();
  watch.onStatus(status(running));
  watch.tellAll();
  await clock.advance(120_000);
  await settle();
  expect([health.length, reports.length]).toEqual([1, 1]);
  expect(clock.waitingTimers()).toBe(0);
});

test('a media host that was lost before the clock was set was lost at the time at which it was', async () => {
  const { clock, watch } = await startedWatch();
  watch.onStatus(status(running));
  watch.onStatus(null);
  await clock.advance(60_000);
  clock.correctWallClock(86_400_000);
  expect(watch.current()?.media.since).toBe(new Date(clock.nowMs() - 60_000).toISOString());
});
