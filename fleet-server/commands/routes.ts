/** Commands to a device. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { Among } from '#fleet-server/commands/device-commands.ts';
import { deviceNotFound, FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { CommandId, DeviceId } from '#protocol/identifiers.ts';
import { BatchRequest, BatchStatus, CommandList, CommandRequest, CommandStatus } from '#protocol/model/command.ts';
import type { DeviceMatch } from '#protocol/model/device.ts';

const tags = ['commands'];
const Params = Type.Object({ id: DeviceId });
const CommandParams = Type.Object({ id: DeviceId, commandId: CommandId });
const BatchParams = Type.Object({ batchId: CommandId });
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
        ...wished(request.body),
        requestedBy: request.actor,
      });
      return reply.code(202).send(status);
    },
  );

  app.post(
    '/commands',
    {
      schema: {
        tags,
        summary: 'Asks several devices to do something once',
        body: BatchRequest,
        response: { 202: BatchStatus, ...problemAnswers },
      },
      preHandler: app.requireRole('operator', 'commands'),
    },
    async (request, reply) => {
      const { kind } = request.body;
      const batch = await app.commands.requestMany(
        { kind, ...wished(request.body), requestedBy: request.actor },
        among(request.body, (match) => app.deviceList.idsMatching(match)),
      );
      return reply.code(202).send(batch);
    },
  );

  app.get(
    '/commands/:batchId',
    {
      schema: {
        tags,
        summary: 'How far a command to several devices is, device by device',
        params: BatchParams,
        response: { 200: BatchStatus, ...problemAnswers },
      },
      preHandler: viewer,
    },
    (request) => app.commands.findBatch(request.params.batchId),
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

  app.post(
    '/devices/:id/commands/:commandId/withdraw',
    {
      schema: {
        tags,
        summary: 'Takes back a command that waits for the device',
        params: CommandParams,
        response: { 200: CommandStatus, ...problemAnswers },
      },
      preHandler: app.requireRole('operator', 'commands'),
    },
    ({ params: { id, commandId }, actor }) => app.commands.withdraw(id, commandId, actor),
  );
};

function wished(body: CommandRequest): { readonly arguments: Record<string, unknown>; readonly deadlineMs?: number } {
  return { arguments: body.arguments ?? {}, ...(body.deadlineS === undefined ? {} : { deadlineMs: body.deadlineS * 1000 }) };
}

function among({ deviceIds, group, tag, matching }: BatchRequest, idsMatching: (match: DeviceMatch) => readonly string[]): Among {
  const wanted: readonly (() => Among)[] = [
    ...(deviceIds === undefined ? [] : [() => ({ kind: 'devices', deviceIds }) as const]),
    ...(group === undefined ? [] : [() => ({ kind: 'group', name: group }) as const]),
    ...(tag === undefined ? [] : [() => ({ kind: 'tag', name: tag }) as const]),
    ...(matching === undefined ? [] : [() => ({ kind: 'matching', deviceIds: idsMatching(matching) }) as const]),
  ];
  const [only] = wanted;
  if (only !== undefined && wanted.length === 1) return only();
  const came = wanted.length === 0 ? 'none of them' : `${wanted.length} of them`;
  throw new FleetError('wrong-fields', `Expected either deviceIds, group, tag or matching, got ${came}.`, {
    problems: [{ key: 'body', expected: 'either deviceIds, group, tag or matching', came }],
  });
}
