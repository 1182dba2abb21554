import { expect, test } from 'vitest';
import { bellCount, bellWords, mostUrgentFirst, worstTone } from '#fleet-server/web/alerts/alert-order.ts';
import type { Alert } from '#protocol/model/alert.ts';

const alert = (id: string, severity: Alert['severity'], state: Alert['state'], minute: number): Alert => ({
  id,
  ruleName: 'Away',
  severity,
  state,
  title: id,
  detail: '',
  deviceId: null,
  openedAt: `2026-01-05T12:${String(minute).padStart(2, '0')}:00.000Z`,
  acknowledgedAt: null,
  acknowledgedBy: null,
  escalatedAt: null,
  resolvedAt: null,
});

test('what nobody looks after comes first, the worst of it first, the newest first among equals', () => {
  const alerts = [
    alert('taken, critical', 'critical', 'acknowledged', 1),
    alert('info', 'info', 'open', 2),
    alert('critical, old', 'critical', 'open', 3),
    alert('warning', 'warning', 'open', 4),
    alert('critical, new', 'critical', 'open', 5),
  ];
  expect(mostUrgentFirst(alerts).map(({ id }) => id)).toEqual(['critical, new', 'critical, old', 'warning', 'info', 'taken, critical']);
});

test('the bell', () => {
  expect([bellCount(3), bellCount(99), bellCount(100)]).toEqual(['3', '99', '99+']);
  expect([bellWords(0), bellWords(1), bellWords(120)]).toEqual(['Alerts: none open', 'Alerts: 1 open', 'Alerts: 120 open']);
  expect(worstTone([])).toBe('quiet');
  expect(worstTone([alert('a', 'info', 'open', 1)])).toBe('warn');
  expect(worstTone([alert('a', 'info', 'open', 1), alert('b', 'critical', 'open', 1)])).toBe('bad');
});
