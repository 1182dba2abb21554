/** The HTTP server itself, without a route. */
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { FleetError, toProblem } from '#fleet-server/errors.ts';
import { installAnswers } from '#fleet-server/http/answers.ts';
import { SocketGuard, type SocketLimits } from '#fleet-server/http/socket-guard.ts';
import type { IsTrusted } from '#fleet-server/http/trusted-proxies.ts';
import type { TlsKeeper } from '#fleet-server/tls/tls-keeper.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The connections to the HTTP port. */
    httpSockets: SocketGuard;
  }
}

export type ServerOptions = {
  readonly logger: NonNullable<FastifyServerOptions['logger']>;
  /** Checks each answer against its schema; for tests. */
  readonly checkAnswers: boolean;
  readonly tls?: TlsKeeper | null;
  readonly isTrustedProxy?: IsTrusted;
  /** Those of socket-guard.ts unless given. */
  readonly socketLimits?: SocketLimits;
};

const maxBodyBytes = 64 * 1024;
const handshakeMs = 10_000;

type Times = ReturnType<typeof SocketGuard.timesOf>;

/** TLS is another server under the same routes; Fastify sees the same requests and answers. */
function secureServer(handler: Parameters<typeof createHttpsServer>[1], tls: TlsKeeper, times: Times): Server {
  const { cert, key } = tls.material;
  const server = createHttpsServer({ cert, key, handshakeTimeout: handshakeMs, ...times }, handler);
  tls.attach(server);
  return server as unknown as Server;
}

export function createServer(options: ServerOptions): FastifyInstance {
  const { tls, isTrustedProxy, socketLimits } = options;
  const sockets = new SocketGuard({
    ...(socketLimits === undefined ? {} : { limits: socketLimits }),
    ...(isTrustedProxy === undefined ? {} : { isTrustedProxy }),
    onRefused: (address, count) =>
      app.log.warn({ address, count, code: 'http-connections' }, 'expected fewer connections to the HTTP port; refused some'),
  });
  const times = SocketGuard.timesOf(socketLimits);
  const app: FastifyInstance = Fastify({
    logger: options.logger,
    serverFactory: (handler) => {
      const server = tls == null ? createHttpServer(times, handler) : secureServer(handler, tls, times);
      sockets.attach(server);
      return server;
    },
    trustProxy: isTrustedProxy ?? false,
    // Addresses hold tickets: only failures are logged, by their route.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    forceCloseConnections: true,
    // A slow card under a whole fleet may take its time at the start.
    pluginTimeout: 60_000,
    routerOptions: { maxParamLength: 200 },
    // What fails before there is a route, such as an address that cannot be decoded.
    frameworkErrors: (_error, _request, reply) => {
      const error = new FleetError('bad-request', 'Expected an address that can be decoded.');
      reply.hijack();
      reply.raw.writeHead(error.status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(toProblem(error)));
    },
  });
  app.decorate('httpSockets', sockets);
  installAnswers(app, options);
  return app;
}
