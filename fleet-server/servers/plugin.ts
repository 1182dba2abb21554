/** `app.servers`: this fleet server among those on the same database, and whether it leads. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { aloneOnDatabase, type FleetServers } from '#fleet-server/servers/contract.ts';
import { PostgresqlWire } from '#fleet-server/servers/postgresql-wire.ts';

declare module 'fastify' {
  interface FastifyInstance {
    servers: FleetServers;
  }
}

export type ServersOptions = {
  readonly clock: Clock;
  /** Null: SQLite, which no other server shares. */
  readonly databaseUrl: string | null;
};

async function servers(app: FastifyInstance, { clock, databaseUrl }: ServersOptions): Promise<void> {
  if (databaseUrl === null) {
    app.decorate('servers', aloneOnDatabase(randomUUID()));
    return;
  }
  const wire = new PostgresqlWire({ url: databaseUrl, clock, log: app.log });
  app.decorate('servers', wire);
  await wire.start();
  app.addHook('onClose', () => wire.stop());
}

export const serversPlugin = fastifyPlugin(servers, { name: 'servers', dependencies: ['store'] });
