/** `app.watchdog`: compares what each device says with what the relay receives and what is in the picture, and acts. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { type Clock, systemClock } from '#fleet-server/clock.ts';
import type { WatchdogHooks } from '#fleet-server/watchdog/contract.ts';
import { Watchdog } from '#fleet-server/watchdog/watchdog.ts';

declare module 'fastify' {
  interface FastifyInstance {
    watchdog: Watchdog;
  }
}

export type WatchdogOptions = WatchdogHooks & { readonly clock?: Clock };

async function watchdog(app: FastifyInstance, options: WatchdogOptions): Promise<void> {
  const instance = new Watchdog({ hooks: options, log: app.log, clock: options.clock ?? systemClock });
  app.decorate('watchdog', instance);
  app.addHook('onReady', async () => instance.start());
  app.addHook('preClose', () => instance.stop());
}

export const watchdogPlugin = fastifyPlugin(watchdog, { name: 'watchdog' });
