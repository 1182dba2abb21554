/** The HTTP server itself, without a route. */
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
import { FleetError, toProblem } from '#fleet-server/errors.ts';
import { installAnswers } from '#fleet-server/http/answers.ts';

export type ServerOptions = {
  readonly logger: NonNullable<FastifyServerOptions['logger']>;
  /** Checks each answer against its schema; for tests. */
  readonly checkAnswers: boolean;
};

const maxBodyBytes = 64 * 1024;

export function createServer(options: ServerOptions): FastifyInstance {
  const app = Fastify({
    logger: options.logger,
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
