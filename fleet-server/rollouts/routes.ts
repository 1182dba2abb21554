/** Roll-outs of settings. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { RollBackRequest, RolloutDetail, RolloutList, RolloutRequest } from '#protocol/model/rollout.ts';

const tags = ['rollouts'];
const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });
const defaultLimit = 20;
const ListQuery = Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: defaultLimit })) });
const detail = { 200: RolloutDetail, ...problemAnswers };

export const rolloutsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const viewer = app.requireRole('viewer');
  const operator = app.requireRole('operator', 'settings');

  app.get(
    '/rollouts',
    {
      schema: { tags, summary: 'Roll-outs, newest first', querystring: ListQuery, response: { 200: RolloutList, ...problemAnswers } },
      preHandler: viewer,
    },
    async ({ query: { limit = defaultLimit } }) => ({ rollouts: await app.rollouts.list(limit) }),
  );
  app.post(
    '/rollouts',
    {
      schema: {
        tags,
        summary: 'Rolls a change of settings out, at once or in waves',
        body: RolloutRequest,
        response: { 201: RolloutDetail, ...problemAnswers },
      },
      preHandler: operator,
    },
    async (request, reply) => reply.code(201).send(await app.rollouts.begin(request.body, request.actor)),
  );
  app.get(
    '/rollouts/:id',
    { schema: { tags, summary: 'One, with its devices', params: Params, response: detail }, preHandler: viewer },
    (request) => app.rollouts.detail(request.params.id),
  );
  app.post(
    '/rollouts/:id/halt',
    { schema: { tags, summary: 'Gives it to no further device', params: Params, response: detail }, preHandler: operator },
    (request) => app.rollouts.halt(request.params.id, request.actor),
  );
  app.post(
    '/rollouts/:id/resume',
    { schema: { tags, summary: 'Goes on, whatever failed until now', params: Params, response: detail }, preHandler: operator },
    (request) => app.rollouts.resume(request.params.id, request.actor),
  );
  app.post(
    '/rollouts/:id/roll-back',
    {
      schema: {
        tags,
        summary: 'Gives every device back what it had, in one step',
        params: Params,
        body: RollBackRequest,
        response: detail,
      },
      preHandler: operator,
    },
    (request) => app.rollouts.rollBack(request.params.id, request.actor, request.body?.override),
  );
};
