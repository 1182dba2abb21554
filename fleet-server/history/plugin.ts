/** `app.history`: what happened to each device. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { DeviceHistory } from '#fleet-server/history/device-history.ts';

declare module 'fastify' {
  interface FastifyInstance {
    history: DeviceHistory;
  }
}

async function history(app: FastifyInstance, options: { readonly clock: Clock }): Promise<void> {
  const instance = new DeviceHistory({
    database: app.store.database,
    clock: options.clock,
    log: app.log,
    acknowledge: (deviceId, upToNumber) => app.broker.publish(deviceId, 'event-ack', { upToNumber }),
    publishChange: (change) => app.changes.publish(change),
  });
  app.decorate('history', instance);
}

export const historyPlugin = fastifyPlugin(history, { name: 'history', dependencies: ['store', 'changes'] });
