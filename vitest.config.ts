import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const onPostgresqlOnly = [
  'test/fleet-server/store/postgresql-database.test.ts',
  'test/fleet-server/servers/live-exchange.test.ts',
  'test/fleet-server/servers/postgresql-wire.test.ts',
  'test/fleet-server/rollouts/plugin.test.ts',
];

/** Of rooms that stand on the store: what needs none of it, or is about sessions and nothing that a database could do otherwise. */
const withoutStore = [
  'test/fleet-server/alerts/{decide,messenger,quiet-hours}.test.ts',
  'test/fleet-server/devices/{presence,stream-state}.test.ts',
  'test/fleet-server/history/{contiguous,happened-at}.test.ts',
  'test/fleet-server/http/**',
  'test/fleet-server/maintenance/schedule.test.ts',
  'test/fleet-server/watchdog/{decide,watchdog}.test.ts',
  'test/fleet-server/people/{session-routes,write-allowance}.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // On two cores: most of the longer tests wait for real time to pass, and what encodes video encodes little.
    maxWorkers: 4,
    // A worker reads the modules once for all its files, which otherwise is a third of the processor's time.
    isolate: false,
    // Of the programs that tests start (test/child-environment.ts): each start reads what the first has compiled.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '.build', 'compile-cache') },
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/browser/**', 'test/long/**', ...onPostgresqlOnly],
          globalSetup: ['test/built-programs.mjs'],
          sequence: { groupOrder: 0 },
        },
      },
      // What stands on the store, once more on PostgreSQL.
      {
        extends: true,
        test: {
          name: 'postgresql',
          include: [
            'test/fleet-server/{alerts,audit,commands,devices,enrolment,groups,health,history,http,maintenance,metrics,people,rollouts,servers,settings,store,watchdog}/**/*.test.ts',
          ],
          exclude: ['test/fleet-server/store/store.test.ts', ...withoutStore],
          globalSetup: ['test/fleet-server/store/postgresql-for-tests.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      // What takes minutes of real time, one after the other: `npm run test-long`, by hand. Continuous integration does not run it.
      {
        extends: true,
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          globalSetup: ['test/built-programs.mjs'],
          sequence: { groupOrder: 2 },
          fileParallelism: false,
          testTimeout: 300_000,
        },
      },
      // Whole systems, apart from the rooms and two at a time: each waits for real time more than it takes of the processor.
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/e2e/**/*.test.ts', 'test/browser/**/*.test.ts'],
          globalSetup: ['test/built-programs.mjs'],
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
