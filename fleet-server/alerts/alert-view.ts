/** An alert as the API and the notices show it. Pure. */
import { timestamp } from '#fleet-server/clock.ts';
import type { AlertsTable } from '#fleet-server/store/schema.ts';
import type { Alert } from '#protocol/model/alert.ts';

export function toAlert(row: AlertsTable): Alert {
  const time = (ms: number | null) => (ms === null ? null : timestamp(ms));
  return {
    id: row.id,
    ruleName: row.ruleName,
    severity: row.severity === 'critical' ? 'critical' : row.severity === 'info' ? 'info' : 'warning',
    state: row.resolvedAtMs !== null ? 'resolved' : row.acknowledgedAtMs !== null ? 'acknowledged' : 'open',
    title: row.title,
    detail: row.detail,
    deviceId: row.deviceId,
    openedAt: timestamp(row.openedAtMs),
    acknowledgedAt: time(row.acknowledgedAtMs),
    acknowledgedBy: row.acknowledgedBy,
    escalatedAt: time(row.escalatedAtMs),
    resolvedAt: time(row.resolvedAtMs),
  };
}
