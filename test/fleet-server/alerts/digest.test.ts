import { describe, expect, test } from 'vitest';
import { digestLines, digestOf, digestPolicy, nothingTold, planTelling, recent, shortened, worstOf } from '#fleet-server/alerts/digest.ts';
import type { AlertNotice } from '#protocol/model/alert.ts';

const nowMs = Date.parse('2026-11-21T12:00:00Z');
const { singles, windowMs, gapMs } = digestPolicy;
const times = (count: number, atMs: number) => Array.from({ length: count }, () => atMs);

describe('what a channel is told next', () => {
  test.each([
    ['nothing of late', [], null, { kind: 'singles', most: singles }],
    ['nearly all', times(singles - 1, nowMs - 1000), null, { kind: 'singles', most: 1 }],
    ['all of it', times(singles, nowMs - 1000), null, { kind: 'digest' }],
    ['all of it, and a digest a moment ago', times(singles, nowMs - 1000), nowMs - gapMs + 1, { kind: 'wait' }],
    ['all of it, and a digest long enough ago', times(singles, nowMs - 1000), nowMs - gapMs, { kind: 'digest' }],
    ['all of it, and the window is over', times(singles, nowMs - windowMs), nowMs - 1, { kind: 'singles', most: singles }],
    ['by a clock that was ahead', times(singles, nowMs + 1000), nowMs + 1000, { kind: 'singles', most: singles }],
    ['a digest by a clock that was ahead', times(singles, nowMs), nowMs + 1000, { kind: 'digest' }],
  ])('%s', (_name, singlesAtMs, digestAtMs, plan) => {
    expect(planTelling({ singlesAtMs, digestAtMs }, nowMs)).toEqual(plan);
  });

  test('only what counts still is kept', () => {
    const told = { singlesAtMs: [nowMs - windowMs, nowMs - 1, nowMs + 1], digestAtMs: 7 };
    expect(recent(told, nowMs)).toEqual({ singlesAtMs: [nowMs - 1], digestAtMs: 7 });
    expect(recent(nothingTold, nowMs)).toEqual(nothingTold);
  });
});

function notice(id: string, event: AlertNotice['event'], severity: AlertNotice['alert']['severity'] = 'warning'): AlertNotice {
  const resolvedAt = event === 'resolved' ? '2026-11-21T12:05:00.000Z' : null;
  return {
    event,
    alert: {
      ...{ id, severity, ruleName: 'away', title: `${id} is offline`, detail: '', deviceId: null, openedAt: '2026-11-21T12:00:00.000Z' },
      state: resolvedAt === null ? 'open' : 'resolved',
      ...{ acknowledgedAt: null, acknowledgedBy: null, escalatedAt: null, resolvedAt },
    },
    deviceName: null,
    url: null,
  };
}

describe('a digest', () => {
  const notices = [
    notice('hall', 'opened'),
    notice('stage', 'opened', 'critical'),
    notice('lobby', 'resolved'),
    notice('roof', 'opened'),
    notice('roof', 'resolved'),
    notice('yard', 'opened'),
    notice('yard', 'escalated'),
    notice('gate', 'escalated'),
    notice('gate', 'resolved'),
  ];
  const digest = digestOf('an-id', notices, 'https://fleet.example.org/alerts');

  test('counts alerts, and holds every notice in its order', () => {
    expect(digest.title).toBe('6 alerts: 2 new, 1 that nobody has acknowledged, 2 recovered, 1 that came and went');
    expect(digest.notices).toEqual(notices);
    expect(digestOf('x', [notice('hall', 'opened')], null).title).toBe('1 alert: 1 new');
  });

  test('has a line of each: what is worst and still wrong first', () => {
    expect(digestLines(digest)).toEqual([
      'stage is offline (critical, since 2026-11-21T12:00:00.000Z)',
      'hall is offline (warning, since 2026-11-21T12:00:00.000Z)',
      'Nobody has acknowledged: yard is offline (warning, since 2026-11-21T12:00:00.000Z)',
      'Recovered: lobby is offline (warning, since 2026-11-21T12:00:00.000Z until 2026-11-21T12:05:00.000Z)',
      'Came and went: roof is offline (warning, since 2026-11-21T12:00:00.000Z until 2026-11-21T12:05:00.000Z)',
      'Recovered: gate is offline (warning, since 2026-11-21T12:00:00.000Z until 2026-11-21T12:05:00.000Z)',
    ]);
    expect(worstOf(digest)).toBe('critical');
    expect(worstOf(digestOf('x', [notice('a', 'resolved', 'critical')], null))).toBeNull();
  });

  test('does not say of what somebody acknowledged meanwhile that nobody has', () => {
    const late = notice('hall', 'escalated');
    const { title, ...rest } = digestOf('x', [{ ...late, alert: { ...late.alert, state: 'acknowledged', acknowledgedBy: 'ada' } }], null);
    expect(title).toBe('1 alert: 1 acknowledged late');
    expect(digestLines({ title, ...rest })).toEqual(['Acknowledged late: hall is offline (warning, since 2026-11-21T12:00:00.000Z)']);
  });

  test('does not call recovered what nobody watches any more', () => {
    const end = { ...notice('hall', 'resolved'), reason: 'rule-off' } as const;
    const unwatched = digestOf('x', [notice('hall', 'opened'), end], null);
    expect(unwatched.title).toBe('1 alert: 1 no longer watched');
    expect(digestLines(unwatched)).toEqual([
      'No longer watched: hall is offline (warning, since 2026-11-21T12:00:00.000Z until 2026-11-21T12:05:00.000Z, its rule was switched off)',
    ]);
    expect(worstOf(unwatched)).toBeNull();
  });

  test('has as many lines as there is room for, and says how many more there are', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `Bühne ${index} is offline`);
    expect(shortened(lines.slice(0, 5), 4096)).toBe(lines.slice(0, 5).join('\n'));
    const text = shortened(lines, 400);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(400);
    const kept = text.split('\n');
    expect(kept.at(-1)).toBe(`and ${100 - (kept.length - 1)} more`);
  });
});
