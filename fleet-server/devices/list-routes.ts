/** The list of devices, the tags that there are, and tags and a group for many devices at once. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { ListOrder, ListRequest } from '#fleet-server/devices/device-list.ts';
import { deviceSummary } from '#fleet-server/devices/device-view.ts';
import { summaryRows } from '#fleet-server/devices/devices-store.ts';
import { readCursor, writeCursor } from '#fleet-server/devices/list-cursor.ts';
import { moveDevices } from '#fleet-server/devices/move-devices.ts';
import { selectedIds } from '#fleet-server/devices/selected-devices.ts';
import { tagDevices } from '#fleet-server/devices/tag-devices.ts';
import { readTags } from '#fleet-server/devices/tags.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import {
  DeviceList,
  DeviceMatch,
  DeviceSort,
  GroupingRequest,
  GroupingResult,
  TaggingRequest,
  TaggingResult,
  TagList,
} from '#protocol/model/device.ts';

const tags = ['devices'];
const defaultLimit = 100;

const ListQuery = Type.Object(
  {
    ...DeviceMatch.properties,
    sort: Type.Optional(DeviceSort),
    descending: Type.Optional(Type.Boolean({ description: 'The largest figure, or the last name, first' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: defaultLimit })),
    after: Type.Optional(
      Type.String({
        maxLength: 1000,
        description:
          'The `next` of the page before, in the same order: goes through all devices without missing one that stays in its place',
      }),
    ),
    skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'In place of `after`: so many devices come before' })),
  },
  { additionalProperties: false },
);

export const devicesListRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { database } = app.store;

  app.get(
    '/devices',
    {
      schema: { tags, summary: 'Devices, a page at a time', querystring: ListQuery, response: { 200: DeviceList, ...problemAnswers } },
      preHandler: app.requireRole('viewer'),
    },
    async (request) => {
      const { sort = 'name', descending: isDescending = false, limit = defaultLimit, after, skip, ...match } = request.query;
      const order: ListOrder = { sort, isDescending };
      const start = startOf(order, after, skip);
      const page = await app.deviceList.page({ match, order, start, limit });
      const ids = page.rows.map(({ id }) => id);
      const stored = new Map((await summaryRows(database, ids)).map((device) => [device.id, device]));
      return {
        devices: page.rows.flatMap(({ id, live }) => {
          const device = stored.get(id);
          return device === undefined ? [] : [deviceSummary(device, live, app.maintenance.of(id, live.group))];
        }),
        total: page.total,
        before: page.before,
        states: [...page.states],
        blocked: page.blocked,
        next: page.next === null ? null : writeCursor(order, page.next),
      };
    },
  );

  app.get(
    '/tags',
    {
      schema: { tags, summary: 'Tags by name, with how many devices have them', response: { 200: TagList, ...problemAnswers } },
      preHandler: app.requireRole('viewer'),
    },
    async () => {
      const counts = new Map<string, number>();
      for (const device of app.devices.known()) for (const tag of readTags(device.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
      const known = [...counts].map(([name, deviceCount]) => ({ name, deviceCount }));
      return { tags: known.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
    },
  );

  app.post(
    '/devices/tagging',
    {
      schema: {
        tags,
        summary: 'Gives tags to several devices, or takes them from them',
        body: TaggingRequest,
        response: { 200: TaggingResult, ...problemAnswers },
      },
      preHandler: app.requireRole('operator', 'devices'),
    },
    ({ body, actor }) => tagDevices(app, { ids: selectedIds(app, body), add: body.add, remove: body.remove, actor }),
  );

  app.post(
    '/devices/grouping',
    {
      schema: {
        tags,
        summary: 'Moves several devices to a group, or out of any',
        body: GroupingRequest,
        response: { 200: GroupingResult, ...problemAnswers },
      },
      preHandler: app.requireRole('operator', 'devices'),
    },
    ({ body, actor }) => moveDevices(app, { ids: selectedIds(app, body), group: body.group, actor }),
  );
};

function startOf(order: ListOrder, after: string | undefined, skip: number | undefined): ListRequest['start'] {
  if (after === undefined) return { kind: 'skip', count: skip ?? 0 };
  if (skip === undefined) return { kind: 'after', position: readCursor(after, order) };
  throw new FleetError('wrong-fields', 'Expected either after or skip, got both.', {
    problems: [{ key: 'querystring', expected: 'either after or skip', came: 'both' }],
  });
}
