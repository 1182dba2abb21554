import { expect, test } from 'vitest';
import { backlogBatch, HealthBacklogKeeper, maxBacklogSamples } from '#device/health/health-backlog.ts';
import { encodeUpward } from '#protocol/envelope.ts';
import type { Health } from '#protocol/messages.ts';
import { upwardTopics } from '#protocol/topics.ts';

const health = (framesPerSecond: number): Health => ({
  media: { kind: 'running', since: '2026-11-21T12:00:00Z' },
  figures: { framesPerSecond, videoBitrateKbps: 2500, audioBitrateKbps: 128, framesTotal: 1, width: 1280, height: 720 },
  outputs: [],
  conditions: [],
  board: {
    uptimeS: 1,
    loadAverage1m: 0.5,
    memoryTotalBytes: 1e9,
    memoryAvailableBytes: 5e8,
    agentRssBytes: 1,
    mediaHostRssBytes: 1,
    diskTotalBytes: 1,
    diskFreeBytes: 1,
  },
});

function backlog() {
  const time = { nowMs: 0 };
  return { time, keeper: new HealthBacklogKeeper(() => time.nowMs) };
}

test('one a minute, with the age that it has when it is sent', () => {
  const { time, keeper } = backlog();
  for (time.nowMs = 0; time.nowMs < 180_000; time.nowMs += 10_000) keeper.add(health(time.nowMs / 10_000));
  expect(keeper.next()?.samples.map(({ ageMs, framesPerSecond }) => [ageMs, framesPerSecond])).toEqual([
    [180_000, 0],
    [120_000, 6],
    [60_000, 12],
  ]);
  time.nowMs += 5000;
  expect(keeper.next()?.samples[0]?.ageMs).toBe(185_000);
  keeper.drop(2);
  expect(keeper.next()?.samples).toHaveLength(1);
  keeper.drop(1);
  expect(keeper.next()).toBeNull();
});

test('days offline: the last six hours, in messages that fit their limit', () => {
  const { time, keeper } = backlog();
  for (time.nowMs = 0; time.nowMs < 3 * 86_400_000; time.nowMs += 10_000) keeper.add(health(29.97));
  const ages: number[] = [];
  for (let next = keeper.next(); next !== null; next = keeper.next()) {
    expect(next.samples.length).toBeLessThanOrEqual(backlogBatch);
    const text = encodeUpward('health-backlog', { session: { bootId: 'b', counter: 1 }, sequence: 1, sentAt: '', body: next });
    expect(text.length).toBeLessThan(upwardTopics['health-backlog'].maxBytes);
    ages.push(...next.samples.map(({ ageMs }) => ageMs));
    keeper.drop(next.samples.length);
  }
  expect(ages).toHaveLength(maxBacklogSamples);
  expect(Math.max(...ages)).toBeLessThanOrEqual(6 * 3_600_000 + 60_000);
});
