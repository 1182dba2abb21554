/** Which alerts come first, and how many there are in words. Pure. */
import type { Alert } from '#protocol/model/alert.ts';
import type { Tone } from '../status/stream-words.ts';

const severityRank = { critical: 0, warning: 1, info: 2 } as const satisfies Record<Alert['severity'], number>;

/** Those that nobody looks after first, the worst of them first, the newest first among equals. */
export function mostUrgentFirst(alerts: readonly Alert[]): readonly Alert[] {
  const rank = (alert: Alert): number => (alert.state === 'open' ? 0 : 3) + severityRank[alert.severity];
  return alerts.toSorted((a, b) => rank(a) - rank(b) || b.openedAt.localeCompare(a.openedAt));
}

export function worstTone(alerts: readonly Pick<Alert, 'severity'>[]): Tone {
  if (alerts.some(({ severity }) => severity === 'critical')) return 'bad';
  return alerts.length > 0 ? 'warn' : 'quiet';
}

/** On the bell there is room for two digits. */
export function bellCount(open: number): string {
  return open > 99 ? '99+' : String(open);
}

export function bellWords(open: number): string {
  if (open === 0) return 'Alerts: none open';
  return open === 1 ? 'Alerts: 1 open' : `Alerts: ${open} open`;
}
