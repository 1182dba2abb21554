/** The HTTP server itself, without a route. */
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { FleetError, toProblem } from '#fleet-server/errors.ts';
import { installAnswers } from '#fleet-server/http/answers.ts';
import type { IsTrusted } from '#fleet-server/http/trusted-proxies.ts';
import type { TlsKeeper } from '#fleet-server/tls/tls-keeper.ts';

export type ServerOptions = {
  readonly logger: NonNullable<FastifyServerOptions['logger']>;
  /** Checks each answer against its schema; for tests. */
  readonly checkAnswers: boolean;
  readonly tls?: TlsKeeper | null;
  readonly isTrustedProxy?: IsTrusted;
};

const maxBodyBytes = 64 * 1024;

/** TLS is another server under the same routes; Fastify sees the same requests and answers. */
function secureServer(handler: Parameters<typeof createHttpsServer>[1], tls: TlsKeeper): Server {
  const { cert, key } = tls.material;
  const server = createHttpsServer({ cert, key }, handler);
  tls.attach(server);
  return server as unknown as Server;
}

export function createServer(options: ServerOptions): FastifyInstance {
  const { tls, isTrustedProxy } = options;
  const app = Fastify({
    logger: options.logger,
    serverFactory: (handler) => (tls == null ? createHttpServer(handler) : secureServer(handler, tls)),
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
  installAnswers(app, options);
  return app;
}
