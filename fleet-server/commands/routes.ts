/** Commands to a device. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { deviceNotFound } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { CommandId, DeviceId } from '#protocol/identifiers.ts';
import { CommandList, CommandRequest, CommandStatus } from '#protocol/model/command.ts';

const tags = ['commands'];
const Params = Type.Object({ id: DeviceId });
const CommandParams = Type.Object({ id: DeviceId, commandId: CommandId });
const listed = 50;

export const commandsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const viewer = app.requireRole('viewer');

  app.post(
    '/devices/:id/commands',
    {
      schema: {
        tags,
        summary: 'Asks a device to do something once',
        params: Params,
        body: CommandRequest,
        response: { 202: CommandStatus, ...problemAnswers },
      },
      preHandler: app.requireRole('operator', 'commands'),
    },
    async (request, reply) => {
      const status = await app.commands.request({
        deviceId: request.params.id,
        kind: request.body.kind,
        arguments: request.body.arguments ?? {},
        requestedBy: request.actor,
      });
      return reply.code(202).send(status);
    },
  );

  app.get(
    '/devices/:id/commands',
    {
      schema: { tags, summary: 'The newest commands of a device', params: Params, response: { 200: CommandList, ...problemAnswers } },
      preHandler: viewer,
    },
    async (request) => {
      if (!app.devices.isKnown(request.params.id)) throw deviceNotFound(request.params.id);
      return app.commands.list(request.params.id, listed);
    },
  );

  app.get(
    '/devices/:id/commands/:commandId',
    {
      schema: { tags, summary: 'What became of a command', params: CommandParams, response: { 200: CommandStatus, ...problemAnswers } },
      preHandler: viewer,
    },
    (request) => app.commands.find(request.params.id, request.params.commandId),
  );
};
