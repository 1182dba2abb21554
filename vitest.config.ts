import { defineConfig } from 'vitest/config';

const onPostgresqlOnly = [
  'test/fleet-server/store/postgresql-database.test.ts',
  'test/fleet-server/servers/live-exchange.test.ts',
  'test/fleet-server/rollouts/plugin.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: a test that encodes video must not be slowed down by a third file.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/browser/**', ...onPostgresqlOnly],
          sequence: { groupOrder: 0 },
        },
      },
      // What stands on the store, once more on PostgreSQL.
      {
        extends: true,
        test: {
          name: 'postgresql',
          include: [
            'test/fleet-server/{alerts,audit,commands,devices,enrolment,health,history,http,people,rollouts,servers,settings,store}/**/*.test.ts',
          ],
          exclude: ['test/fleet-server/store/store.test.ts'],
          globalSetup: ['test/fleet-server/store/postgresql-for-tests.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      // The whole system at once, alone on the machine, in the order of the story.
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/e2e/**/*.test.ts', 'test/browser/**/*.test.ts'],
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
