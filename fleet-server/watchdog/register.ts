/** The watchdog among the other parts of the fleet server: where it learns from them, and what it does through them. */
import type { FastifyInstance } from 'fastify';
import type { Clock } from '#fleet-server/clock.ts';
import { actsSince } from '#fleet-server/watchdog/acts.ts';
import { watchdogPlugin } from '#fleet-server/watchdog/plugin.ts';

export async function registerWatchdog(app: FastifyInstance, clock: Clock): Promise<void> {
  await app.register(watchdogPlugin, {
    clock,
    isLeader: () => app.servers.isLeader(),
    devices: () => app.devices.list(),
    relayRunningSinceMs: ({ id }) => {
      const { kind, sinceMs } = app.relays.of(app.devices.relayServerOf(id));
      return kind === 'running' ? sinceMs : null;
    },
    policyOf: ({ group }) => app.watchdogPolicies.of(group),
    isSilenced: ({ id, group }) => app.maintenance.of(id, group) !== null,
    actsSince: (sinceMs) => actsSince(app.store.database, sinceMs),
    requestCommand: (request) => app.commands.request(request),
    appendHistory: (entry) => app.history.append(entry),
  });
}
