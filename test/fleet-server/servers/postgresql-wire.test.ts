/** Who leads, on a real PostgreSQL: a leader that is frozen is one whose clock stands still. */
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '#fleet-server/clock.ts';
import { PostgresqlWire } from '#fleet-server/servers/postgresql-wire.ts';
import { until } from '../../until.ts';
import { manualClock } from '../manual-clock.ts';
import { createCluster, type PostgresqlCluster } from '../store/postgresql-cluster.ts';

let cluster: PostgresqlCluster;
beforeAll(async () => {
  cluster = await createCluster();
}, 60_000);
afterAll(() => cluster.remove());

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };

test('a leader that is silent leads no more by its own clock, and then another one takes the lock from it', {
  timeout: 40_000,
}, async () => {
  const url = await cluster.url('public');
  const frozen = manualClock();
  const first = new PostgresqlWire({ url, clock: frozen, log: quiet });
  await first.start();
  const second = new PostgresqlWire({ url, clock: systemClock, log: quiet });
  await second.start();
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await first.stop();
    await second.stop();
  });
  expect([first.isLeader(), second.isLeader()]).toEqual([true, false]);
  const startedMs = performance.now();
  await until('another one to lead', 20_000, () => second.isLeader());
  const tookMs = performance.now() - startedMs;
  console.info(`the lead went over after ${Math.round(tookMs)} ms`);
  expect(tookMs).toBeGreaterThan(9000);
  expect(tookMs).toBeLessThan(16_000);
  // It wakes: whatever it is asked first, the time that has passed says that it leads no more.
  frozen.jump(tookMs);
  expect(first.isLeader()).toBe(false);
  const { rows } = await client.query<{ count: number }>(`select count(*)::int as count from pg_locks where locktype = 'advisory'`);
  expect(rows[0]?.count).toBe(1);
});
