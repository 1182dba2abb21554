/** Turns whatever a route throws into a Problem. What is not in the table of errors is logged with its cause and answered without it. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { FleetError, toProblem } from '#fleet-server/errors.ts';
import { toFleetError } from '#fleet-server/http/answers.ts';

async function errorHandler(app: FastifyInstance): Promise<void> {
  app.setErrorHandler((thrown, request, reply) => {
    const error =
      toFleetError(thrown) ?? new FleetError('internal', 'The fleet server failed at this request; its log says why.', { cause: thrown });
    if (error.status >= 500) {
      // The route's pattern, not the address: tickets stand in addresses.
      request.log.error({ err: error, code: error.code, method: request.method, route: request.routeOptions.url }, 'a request failed');
    }
    if (error.status === 401) reply.header('www-authenticate', 'Cookie');
    return reply
      .code(error.status)
      .type('application/json; charset=utf-8')
      .serializer((problem: unknown) => JSON.stringify(problem))
      .send(toProblem(error));
  });
}

export const errorHandlerPlugin = fastifyPlugin(errorHandler, { name: 'error-handler' });
