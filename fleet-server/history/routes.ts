/** The history of a device. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { deviceNotFound } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { DeviceId } from '#protocol/identifiers.ts';
import { History } from '#protocol/model/device.ts';

const Params = Type.Object({ id: DeviceId });
const Query = Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })) });
const defaultLimit = 100;

export const historyRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/devices/:id/history',
    {
      schema: {
        tags: ['devices'],
        summary: 'What happened to a device, newest first',
        params: Params,
        querystring: Query,
        response: { 200: History, ...problemAnswers },
      },
      preHandler: app.requireRole('viewer'),
    },
    async (request) => {
      if (!app.devices.isKnown(request.params.id)) throw deviceNotFound(request.params.id);
      return app.history.newest(request.params.id, request.query.limit ?? defaultLimit);
    },
  );
};
