/** Log lines of a device: ask it with the command send-logs, then read here every second or so. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { deviceNotFound, FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { DeviceId } from '#protocol/identifiers.ts';
import { DeviceLog } from '#protocol/model/log.ts';

const Params = Type.Object({ id: DeviceId });
const Query = Type.Object({ after: Type.Optional(Type.Integer({ minimum: 0, description: 'The `next` of the answer before' })) });

export const logsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/devices/:id/logs',
    {
      schema: {
        tags: ['devices'],
        summary: 'What a device has sent of its log, after the command send-logs',
        params: Params,
        querystring: Query,
        response: { 200: DeviceLog, ...problemAnswers },
      },
      preHandler: app.requireRole('operator'),
    },
    async ({ params: { id }, query }) => {
      if (!app.devices.isKnown(id)) throw deviceNotFound(id);
      const place = app.sharedDevices?.placeOfAgent(id) ?? null;
      if (place !== null)
        throw new FleetError('not-kept', `This device is connected to another fleet server: read its log at ${place.url}.`);
      return app.logs.read(id, query.after ?? 0);
    },
  );
};
