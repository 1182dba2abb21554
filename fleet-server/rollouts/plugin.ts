/** `app.rollouts`: changes of settings that go from wave to wave. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { readCandidates, readFacts } from '#fleet-server/rollouts/facts.ts';
import { Rollouts } from '#fleet-server/rollouts/rollouts.ts';

declare module 'fastify' {
  interface FastifyInstance {
    rollouts: Rollouts;
  }
}

async function rollouts(app: FastifyInstance, { clock }: { readonly clock: Clock }): Promise<void> {
  const instance = new Rollouts({
    database: app.store.database,
    clock,
    log: app.log,
    audit: app.audit,
    settings: app.settings,
    trials: app.settingsTrials,
    isLeader: () => app.servers.isLeader(),
    candidates: (database, scope) => readCandidates(app, database, scope),
    nameOf: (deviceId) => app.devices.nameOf(deviceId),
    facts: (database, scope) => readFacts(app, database, scope),
    appendHistory: (entry) => app.history.append(entry),
    publishChange: (change) => app.changes.publish(change),
  });
  app.decorate('rollouts', instance);
  app.addHook('onReady', async () => instance.start());
  app.addHook('preClose', () => instance.stop());
}

export const rolloutsPlugin = fastifyPlugin(rollouts, {
  name: 'rollouts',
  dependencies: ['store', 'servers', 'audit', 'changes', 'devices', 'history', 'settings'],
});
