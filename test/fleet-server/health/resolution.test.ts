import { expect, test } from 'vitest';
import { planChart } from '#fleet-server/health/resolution.ts';

const hourMs = 3_600_000;
const nowMs = Date.parse('2026-11-21T12:34:56Z');

test.each([
  ['the last hour by ten seconds', 1, 10, 'raw', 10],
  ['the last hour by the minute', 1, 60, 'minutes', 60],
  ['the last day by seven minutes', 24, 420, 'minutes', 420],
  ['two days by ten seconds, which are not kept', 48, 10, 'minutes', 60],
  ['two days by ninety seconds', 48, 90, 'minutes', 120],
  ['a week by the hour', 7 * 24, 3600, 'hours', 3600],
  ['two months by the minute, which are not kept', 60 * 24, 60, 'hours', 3600],
  ['a year by the day', 365 * 24, 86_400, 'hours', 86_400],
] as const)('%s', (_name, hours, stepS, resolution, answered) => {
  expect(planChart({ fromMs: nowMs - hours * hourMs, toMs: nowMs, stepS }, nowMs)).toMatchObject({ resolution, stepS: answered });
});

test('a minute or an hour that has begun before is part of the chart', () => {
  expect(planChart({ fromMs: nowMs - hourMs, toMs: nowMs, stepS: 60 }, nowMs).fromMs).toBe(Date.parse('2026-11-21T11:34:00Z'));
  expect(planChart({ fromMs: nowMs - hourMs, toMs: nowMs, stepS: 3600 }, nowMs).fromMs).toBe(Date.parse('2026-11-21T11:00:00Z'));
});
