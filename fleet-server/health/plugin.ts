/** `app.health`: the health of each device: samples of a day, by the minute for a month, by the hour for two years. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { HealthSamples } from '#fleet-server/health/health-samples.ts';

declare module 'fastify' {
  interface FastifyInstance {
    health: HealthSamples;
  }
}

async function health(app: FastifyInstance, options: { readonly clock: Clock }): Promise<void> {
  const instance = new HealthSamples({
    database: app.store.database,
    clock: options.clock,
    log: app.log,
    isLeader: () => app.servers.isLeader(),
    isAlone: app.servers.isAlone,
    isKnown: (deviceId) => app.devices.isKnown(deviceId),
  });
  app.decorate('health', instance);
  app.addHook('onReady', async () => instance.start());
  app.addHook('preClose', () => instance.stop());
}

export const healthPlugin = fastifyPlugin(health, { name: 'health', dependencies: ['store', 'servers', 'devices'] });
