/** What of the audit log is shown; it stands in the page's address. Days are the reader's own. Pure. */

export type AuditFilter = {
  readonly subject: string;
  readonly actor: string;
  readonly action: string;
  /** Days as YYYY-MM-DD, the last one included; empty: from the first, to the newest. */
  readonly from: string;
  readonly to: string;
};

export const auditFields = ['subject', 'actor', 'action', 'from', 'to'] as const satisfies readonly (keyof AuditFilter)[];

const maxLength = 100;

export function readAuditFilter(address: URLSearchParams): AuditFilter {
  const text = (field: keyof AuditFilter): string => (address.get(field) ?? '').trim().slice(0, maxLength);
  const day = (field: 'from' | 'to'): string => (dayStartMs(text(field)) === null ? '' : text(field));
  const action = text('action');
  return {
    subject: text('subject'),
    actor: text('actor'),
    action: /^[a-z][a-z-]{0,39}$/.test(action) ? action : '',
    from: day('from'),
    to: day('to'),
  };
}

/** For the address. */
export function writeAuditFilter(filter: AuditFilter): string {
  const query = new URLSearchParams(auditFields.flatMap((field) => (filter[field] === '' ? [] : [[field, filter[field]]])));
  return query.size === 0 ? '/audit-log' : `/audit-log?${query}`;
}

/** As the server is asked. */
export function auditQuery({ from, to, ...rest }: AuditFilter): URLSearchParams {
  const query = new URLSearchParams(Object.entries(rest).filter(([, value]) => value !== ''));
  const fromMs = dayStartMs(from);
  const toMs = dayStartMs(to, 1);
  if (fromMs !== null) query.set('from', new Date(fromMs).toISOString());
  if (toMs !== null) query.set('to', new Date(toMs).toISOString());
  return query;
}

export function isEmptyFilter(filter: AuditFilter): boolean {
  return auditFields.every((field) => filter[field] === '');
}

/** When a day begins here, or one so many days later; null: it is none. */
function dayStartMs(text: string, daysLater = 0): number | null {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  if (year === undefined) return null;
  const at = new Date(Number(year), Number(month) - 1, Number(day) + daysLater);
  return daysLater === 0 && at.getDate() !== Number(day) ? null : at.getTime();
}
