/** `app.servers` and `app.relays`: this fleet server among those on the same database, whether it leads, and how their relays are. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { aloneOnDatabase, type FleetServers } from '#fleet-server/servers/contract.ts';
import { FleetRelays } from '#fleet-server/servers/fleet-relays.ts';
import { PostgresqlWire } from '#fleet-server/servers/postgresql-wire.ts';

declare module 'fastify' {
  interface FastifyInstance {
    servers: FleetServers;
    relays: FleetRelays;
  }
}

export type ServersOptions = {
  readonly clock: Clock;
  /** Null: SQLite, which no other server shares. */
  readonly databaseUrl: string | null;
  /** Where this server alone is reached. */
  readonly serverUrl: string;
};

async function servers(app: FastifyInstance, { clock, databaseUrl, serverUrl }: ServersOptions): Promise<void> {
  // The relay comes after this: until then nothing is known of it.
  const own = () => (app.hasDecorator('relay') ? app.relay.state() : null);
  if (databaseUrl === null) {
    const alone = aloneOnDatabase(randomUUID());
    app.decorate('servers', alone);
    app.decorate('relays', new FleetRelays({ serverId: alone.id, url: null, clock, own }));
    return;
  }
  const wire = new PostgresqlWire({ url: databaseUrl, clock, log: app.log });
  app.decorate('servers', wire);
  app.decorate('relays', new FleetRelays({ serverId: wire.id, url: serverUrl, clock, own }));
  await wire.start();
  app.addHook('onClose', () => wire.stop());
}

export const serversPlugin = fastifyPlugin(servers, { name: 'servers', dependencies: ['store'] });
