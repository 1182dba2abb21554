/** `app.broker`: MQTT over TCP and, at /mqtt of the HTTP port, over WebSocket. */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { Broker } from '#fleet-server/broker/broker.ts';
import type { BrokerHooks, DeviceBroker } from '#fleet-server/broker/contract.ts';
import { type Clock, systemClock } from '#fleet-server/clock.ts';
import type { TlsKeeper } from '#fleet-server/tls/tls-keeper.ts';

declare module 'fastify' {
  interface FastifyInstance {
    broker: DeviceBroker;
  }
}

export type BrokerOptions = BrokerHooks & {
  /** TCP; 0 takes a free one. */
  readonly port: number;
  readonly host?: string;
  readonly clock?: Clock;
  /** The TCP port then speaks TLS (mqtts). */
  readonly tls?: TlsKeeper | null;
  /** Of a WebSocket's client, when a proxy stands in between. */
  readonly addressOf?: (remote: string, forwardedFor: string | undefined) => string;
  /** A connection to the HTTP port has become a WebSocket of a device. */
  readonly onWebSocket?: (socket: Socket) => void;
};

async function broker(app: FastifyInstance, options: BrokerOptions): Promise<void> {
  const { port, host, clock = systemClock, tls = null, addressOf = (remote: string) => remote, onWebSocket = () => {}, ...hooks } = options;
  const instance = new Broker({ port, host, server: app.server, hooks, log: app.log, clock, tls, addressOf, onWebSocket });
  app.decorate('broker', instance);
  app.addHook('onReady', () => instance.start());
  // Before the HTTP server waits for its connections: those that became WebSockets would keep it open.
  app.addHook('preClose', () => instance.close());
}

export const brokerPlugin = fastifyPlugin(broker, { name: 'broker' });
