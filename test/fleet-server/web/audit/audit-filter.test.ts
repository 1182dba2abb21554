import { expect, test } from 'vitest';
import { auditQuery, isEmptyFilter, readAuditFilter, writeAuditFilter } from '#fleet-server/web/audit/audit-filter.ts';

const filter = { subject: 'main hall', actor: 'ada', action: 'device-changed', from: '2026-01-31', to: '2026-01-31' };

test('a filter stands in the address and comes back from it', () => {
  expect(readAuditFilter(new URL(writeAuditFilter(filter), 'http://fleet').searchParams)).toEqual(filter);
  expect(writeAuditFilter(readAuditFilter(new URLSearchParams()))).toBe('/audit-log');
});

test('a day is asked for from its beginning to that of the next', () => {
  const query = auditQuery(filter);
  expect(query.get('from')).toBe(new Date(2026, 0, 31).toISOString());
  expect(query.get('to')).toBe(new Date(2026, 1, 1).toISOString());
});

test.each(['from=31.1.2026', 'from=2026-02-30', 'to=x', 'action=A%25', 'subject=%20'])('%s in an address counts for nothing', (address) => {
  const read = readAuditFilter(new URLSearchParams(address));
  expect(isEmptyFilter(read)).toBe(true);
  expect(auditQuery(read).toString()).toBe('');
});
