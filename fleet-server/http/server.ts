/** The HTTP server itself, without a route. */
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify';
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
    routerOptions: { maxParamLength: 200 },
  });
  installAnswers(app, options);
  return app;
}
