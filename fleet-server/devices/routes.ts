/** One device, and its addresses for players. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { deviceDetail } from '#fleet-server/devices/device-view.ts';
import * as store from '#fleet-server/devices/devices-store.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';
import { removeDevice } from '#fleet-server/devices/remove-device.ts';
import { tagsInWords, writeTags } from '#fleet-server/devices/tags.ts';
import { readBoards } from '#fleet-server/enrolment/boards-store.ts';
import { deviceNotFound } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import type { DevicesTable } from '#fleet-server/store/schema.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { DeviceId } from '#protocol/identifiers.ts';
import { DeviceDetail, DevicePatch, Playback } from '#protocol/model/device.ts';

const tags = ['devices'];
const Params = Type.Object({ id: DeviceId });

export const devicesRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { database } = app.store;
  const viewer = app.requireRole('viewer');
  const operator = app.requireRole('operator', 'devices');

  const find = async (id: string): Promise<{ row: DevicesTable; live: LiveDevice }> => {
    const row = await store.findDevice(database, id);
    const live = app.devices.get(id);
    if (row === undefined || live === undefined) throw deviceNotFound(id);
    return { row, live };
  };

  const detail = async (id: string): Promise<DeviceDetail> => {
    const { row, live } = await find(id);
    const memory = await readBoards(database, id);
    return deviceDetail(row, live, { boards: memory?.boards ?? [], maintenance: app.maintenance.of(id, live.group) });
  };

  app.get(
    '/devices/:id',
    { schema: { tags, summary: 'One device', params: Params, response: { 200: DeviceDetail, ...problemAnswers } }, preHandler: viewer },
    async (request) => {
      return detail(request.params.id);
    },
  );

  app.patch(
    '/devices/:id',
    {
      schema: {
        tags,
        summary: 'Renames a device, tags it, or moves it to a group',
        params: Params,
        body: DevicePatch,
        response: { 200: DeviceDetail, ...problemAnswers },
      },
      preHandler: operator,
    },
    async (request) => {
      const { id } = request.params;
      const { name, group } = request.body;
      const tags = request.body.tags === undefined ? undefined : writeTags(request.body.tags);
      const patch = {
        ...(name === undefined ? {} : { name }),
        ...(group === undefined ? {} : { groupName: group }),
        ...(tags === undefined ? {} : { tags }),
      };
      const send = await inTransaction(database, async (transaction) => {
        const before = await store.findDevice(transaction, id);
        if (before === undefined) throw deviceNotFound(id);
        const changes = [
          ...(name === undefined || name === before.name ? [] : [{ field: 'name', before: before.name, after: name }]),
          ...(group === undefined || group === before.groupName ? [] : [{ field: 'group', before: before.groupName, after: group }]),
          ...(tags === undefined || tags === before.tags
            ? []
            : [{ field: 'tags', before: tagsInWords(before.tags), after: tagsInWords(tags) }]),
        ];
        if (changes.length > 0) {
          await store.updateDevice(transaction, id, patch);
          await app.audit.append(transaction, { actor: request.actor, action: 'device-changed', subject: id, changes });
        }
        return app.settings.refreshDevice(transaction, id);
      });
      send();
      const stored = await store.findStoredDevice(database, id);
      if (stored !== undefined) app.devices.update(stored);
      app.changes.publish({ subject: 'device', deviceId: id });
      if (group !== undefined) app.changes.publish({ subject: 'groups' });
      app.servers.tell({ kind: 'device', deviceId: id });
      return detail(id);
    },
  );

  app.delete(
    '/devices/:id',
    {
      schema: {
        tags,
        summary: 'Removes a device: its credential and stream key are worth nothing from then on',
        params: Params,
        response: { 204: Type.Null(), ...problemAnswers },
      },
      preHandler: app.requireRole('admin', 'devices'),
    },
    async (request, reply) => {
      await removeDevice(app, { deviceId: request.params.id, actor: request.actor, action: 'device-removed' });
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/devices/:id/playback',
    {
      schema: {
        tags,
        summary: 'Addresses that a player can open as they stand',
        params: Params,
        response: { 200: Playback, ...problemAnswers },
      },
      preHandler: viewer,
    },
    async (request) => {
      const { id } = request.params;
      if (!app.devices.isKnown(id)) throw deviceNotFound(id);
      const place = app.sharedDevices?.placeOfReception(id) ?? app.sharedDevices?.ownPlace ?? null;
      return app.relay.playback(id, request.headers.host ?? 'localhost', request.protocol, place);
    },
  );
};
