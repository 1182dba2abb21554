/** Turns whatever a route throws into a Problem. What is not in the table of errors is logged with its cause and answered without it. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { FleetError, toProblem } from '#fleet-server/errors.ts';
import { toFleetError } from '#fleet-server/http/answers.ts';

async function errorHandler(app: FastifyInstance): Promise<void> {
  app.setErrorHandler((thrown, request, reply) => {
    const error =
      toFleetError(thrown) ?? new FleetError('internal', 'The fleet server failed at this request; its log says why.', { cause: thrown });
    // The route's pattern, not the address: tickets stand in addresses.
    const where = { code: error.code, method: request.method, route: request.routeOptions.url };
    // A bound that holds is no failure of the server, and whoever runs against it must not fill its log with stacks.
    if (error.code === 'too-busy') request.log.debug(where, error.message);
    else if (error.status >= 500) request.log.error({ err: error, ...where }, 'a request failed');
    if (error.status === 401) reply.header('www-authenticate', 'Cookie');
    if (error.retryAfterS !== undefined) reply.header('retry-after', String(error.retryAfterS));
    return reply
      .code(error.status)
      .type('application/json; charset=utf-8')
      .serializer((problem: unknown) => JSON.stringify(problem))
      .send(toProblem(error));
  });
}

export const errorHandlerPlugin = fastifyPlugin(errorHandler, { name: 'error-handler' });
