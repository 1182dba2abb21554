/** In which order notices go out that are told as one message. Pure. */
import type { AlertNoticesTable } from '#fleet-server/store/schema.ts';

type Waiting = Pick<AlertNoticesTable, 'alertId' | 'event' | 'createdAtMs'> & { readonly isDue: boolean };

/** Of one alert, whatever the clock said. */
const order = ['opened', 'escalated', 'resolved'];

/** Of each alert what is due, in the order in which it came about, up to the first that is not due yet; the oldest alert first. */
export function inOrder<T extends Waiting>(waiting: readonly T[]): T[] {
  const byAlert = new Map<string, T[]>();
  for (const row of waiting) {
    const rows = byAlert.get(row.alertId);
    if (rows === undefined) byAlert.set(row.alertId, [row]);
    else rows.push(row);
  }
  const due = [...byAlert.values()].map((rows) => {
    const ordered = rows.toSorted((a, b) => order.indexOf(a.event) - order.indexOf(b.event));
    const end = ordered.findIndex(({ isDue }) => !isDue);
    return end === -1 ? ordered : ordered.slice(0, end);
  });
  return due.toSorted(([a], [b]) => (a?.createdAtMs ?? 0) - (b?.createdAtMs ?? 0)).flat();
}
