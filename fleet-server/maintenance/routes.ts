/** Maintenance windows: which there are, a new one, its change and its end. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { findDevice } from '#fleet-server/devices/devices-store.ts';
import { deviceNotFound } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { MaintenanceRequest, MaintenanceWindow, MaintenanceWindowList } from '#protocol/model/maintenance.ts';

const tags = ['maintenance'];
const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });

export const maintenanceRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const operator = app.requireRole('operator', 'devices');
  const checkScope = async ({ scope }: MaintenanceRequest): Promise<void> => {
    if (scope.kind === 'device' && (await findDevice(app.store.database, scope.id)) === undefined) throw deviceNotFound(scope.id);
  };

  app.get(
    '/maintenance-windows',
    {
      schema: { tags, summary: 'Maintenance windows, the newest first', response: { 200: MaintenanceWindowList, ...problemAnswers } },
      preHandler: app.requireRole('viewer'),
    },
    async () => ({ windows: await app.maintenance.list() }),
  );
  app.post(
    '/maintenance-windows',
    {
      schema: {
        tags,
        summary: 'Silences the watchdog and alerts for the fleet, a group or a device, once or each week',
        body: MaintenanceRequest,
        response: { 201: MaintenanceWindow, ...problemAnswers },
      },
      preHandler: operator,
    },
    async (request, reply) => {
      await checkScope(request.body);
      return reply.code(201).send(await app.maintenance.create(request.body, request.actor));
    },
  );
  app.put(
    '/maintenance-windows/:id',
    {
      schema: {
        tags,
        summary: 'Changes a maintenance window, also an open one',
        params: Params,
        body: MaintenanceRequest,
        response: { 200: MaintenanceWindow, ...problemAnswers },
      },
      preHandler: operator,
    },
    async (request) => {
      await checkScope(request.body);
      return app.maintenance.change(request.params.id, request.body, request.actor);
    },
  );
  app.delete(
    '/maintenance-windows/:id',
    {
      schema: {
        tags,
        summary: 'Ends a maintenance window, now and for good',
        params: Params,
        response: { 204: Type.Null(), ...problemAnswers },
      },
      preHandler: operator,
    },
    async (request, reply) => {
      await app.maintenance.end(request.params.id, request.actor);
      return reply.code(204).send(null);
    },
  );
};
