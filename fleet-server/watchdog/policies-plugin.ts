/** `app.watchdogPolicies`: which policy counts for whom. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { WatchdogPolicies } from '#fleet-server/watchdog/policies.ts';

declare module 'fastify' {
  interface FastifyInstance {
    watchdogPolicies: WatchdogPolicies;
  }
}

async function watchdogPolicies(app: FastifyInstance, { clock }: { readonly clock: Clock }): Promise<void> {
  const { servers } = app;
  const instance = new WatchdogPolicies({
    database: app.store.database,
    clock,
    log: app.log,
    audit: app.audit,
    publishChange: (change) => app.changes.publish(change),
  });
  app.decorate('watchdogPolicies', instance);
  servers.onTold((message) => {
    if (message.kind === 'change' && message.change.subject === 'watchdog-policy') instance.readAgain();
  });
  servers.onGap(() => instance.readAgain());
  app.addHook('onReady', () => instance.start());
  app.addHook('preClose', () => instance.stop());
}

export const watchdogPoliciesPlugin = fastifyPlugin(watchdogPolicies, {
  name: 'watchdog-policies',
  dependencies: ['store', 'servers', 'audit', 'changes'],
});
