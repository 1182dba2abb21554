import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AlertList } from '#protocol/model/alert.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const page = async (query: string) => api.request({ method: 'GET', url: `/api/v1/alerts?${query}` });

/** Of the same second, as after a power cut, in twos. */
async function insertAlerts(count: number, isResolved: boolean): Promise<readonly string[]> {
  const rows = Array.from({ length: count }, (_, index) => ({
    id: `${isResolved ? 'over' : 'open'}-${String(index).padStart(4, '0')}`,
    key: `rule/${index}/${isResolved}`,
    ruleId: 'rule',
    ruleName: 'away',
    severity: 'critical',
    title: `alert ${index}`,
    detail: '',
    deviceId: null,
    openedAtMs: api.clock.nowMs() - Math.floor(index / 2) * 1000,
    acknowledgedAtMs: null,
    acknowledgedBy: null,
    escalateInMs: null,
    escalatedAtMs: null,
    resolvedAtMs: isResolved ? api.clock.nowMs() : null,
    toldChannels: '',
  }));
  for (const row of rows) await api.store().database.insertInto('alerts').values(row).execute();
  return rows.map(({ id }) => id);
}

test('alerts come a page at a time, each once, the newest first', async () => {
  const open = await insertAlerts(7, false);
  const over = await insertAlerts(2, true);
  const seen: string[][] = [];
  let next: string | null = '';
  while (next !== null) {
    const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`;
    const list: AlertList = (await page(`resolved=false&limit=3${after}`)).json();
    seen.push(list.alerts.map(({ id }) => id));
    next = list.next;
  }
  expect(seen).toEqual([open.slice(0, 3), open.slice(3, 6), open.slice(6)]);
  expect((await page('resolved=true')).json<AlertList>()).toMatchObject({ alerts: over.map((id) => ({ id })), next: null });
});

test('what is no next of a page is refused', async () => {
  for (const after of ['elsewhere', '1/2/3', '-1/a']) {
    const response = await page(`after=${encodeURIComponent(after)}`);
    expect([after, response.json<{ code: string }>().code]).toEqual([after, 'wrong-fields']);
  }
});
