/** `app.maintenance`: who is in a maintenance window at this moment. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { Maintenance } from '#fleet-server/maintenance/maintenance.ts';

declare module 'fastify' {
  interface FastifyInstance {
    maintenance: Maintenance;
  }
}

async function maintenance(app: FastifyInstance, { clock }: { readonly clock: Clock }): Promise<void> {
  const { servers } = app;
  const instance = new Maintenance({
    database: app.store.database,
    clock,
    log: app.log,
    audit: app.audit,
    isLeader: () => servers.isLeader(),
    publishChange: (change) => app.changes.publish(change),
  });
  app.decorate('maintenance', instance);
  servers.onTold((message) => {
    if (message.kind === 'change' && message.change.subject === 'maintenance') instance.readAgain();
  });
  servers.onGap(() => instance.readAgain());
  app.addHook('onReady', () => instance.start());
  app.addHook('preClose', () => instance.stop());
}

export const maintenancePlugin = fastifyPlugin(maintenance, {
  name: 'maintenance',
  dependencies: ['store', 'servers', 'audit', 'changes'],
});
