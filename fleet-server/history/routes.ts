/** The history of a device. */
import { type FastifyPluginAsyncTypebox, type Static, Type } from '@fastify/type-provider-typebox';
import { deviceNotFound } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { DeviceId } from '#protocol/identifiers.ts';
import { History, HistoryKinds, HistoryOrigin } from '#protocol/model/history.ts';

const Params = Type.Object({ id: DeviceId });
const defaultLimit = 100;
const Query = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: defaultLimit })),
    after: Type.Optional(Type.String({ maxLength: 200, description: 'The `next` of the page before, with the same origin and kind' })),
    origin: Type.Optional(HistoryOrigin),
    kind: Type.Optional(Type.String({ pattern: '^[a-z0-9-]{1,64}$', description: 'Such as pipeline-failed' })),
  },
  { additionalProperties: false },
);

export const historyRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const viewer = app.requireRole('viewer');
  const known = ({ id }: Static<typeof Params>): string => {
    if (!app.devices.isKnown(id)) throw deviceNotFound(id);
    return id;
  };

  app.get(
    '/devices/:id/history',
    {
      schema: {
        tags: ['devices'],
        summary: 'What happened to a device, newest first, a page at a time',
        params: Params,
        querystring: Query,
        response: { 200: History, ...problemAnswers },
      },
      preHandler: viewer,
    },
    async ({ params, query: { limit = defaultLimit, ...rest } }) => app.history.page(known(params), { limit, ...rest }),
  );

  app.get(
    '/devices/:id/history/kinds',
    {
      schema: {
        tags: ['devices'],
        summary: 'Which kinds of things happened to a device, and how often, as far as it is kept',
        params: Params,
        response: { 200: HistoryKinds, ...problemAnswers },
      },
      preHandler: viewer,
    },
    async ({ params }) => app.history.kinds(known(params)),
  );
};
