/** `app.logs`: what devices sent of their logs. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { DeviceLogs } from '#fleet-server/logs/device-logs.ts';

declare module 'fastify' {
  interface FastifyInstance {
    logs: DeviceLogs;
  }
}

async function logs(app: FastifyInstance, { clock }: { readonly clock: Clock }): Promise<void> {
  app.decorate('logs', new DeviceLogs(clock));
}

export const logsPlugin = fastifyPlugin(logs, { name: 'logs' });
