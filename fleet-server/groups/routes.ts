/** The groups that there are: those with devices in them and those that set something; and another name for one. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { Clock } from '#fleet-server/clock.ts';
import { renameGroup } from '#fleet-server/groups/rename-group.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { GroupName } from '#protocol/identifiers.ts';
import { GroupList, GroupPatch, type GroupSummary, RenamedGroup } from '#protocol/model/device.ts';

export const groupsRoutes: FastifyPluginAsyncTypebox<{ readonly clock: Clock }> = async (app, { clock }) => {
  app.get(
    '/groups',
    {
      schema: { tags: ['devices'], summary: 'Groups by name, with what is in them', response: { 200: GroupList, ...problemAnswers } },
      preHandler: app.requireRole('viewer'),
    },
    async () => {
      const groups = new Map<string, GroupSummary>();
      const groupOf = (name: string): GroupSummary => {
        const group = groups.get(name) ?? { name, deviceCount: 0, onlineCount: 0, liveCount: 0, settingCount: 0 };
        groups.set(name, group);
        return group;
      };
      for (const live of app.devices.list()) {
        if (live.group === null) continue;
        const group = groupOf(live.group);
        group.deviceCount += 1;
        if (live.presence.state === 'online') group.onlineCount += 1;
        if (live.stream.kind === 'live') group.liveCount += 1;
      }
      for (const [name, count] of await app.settings.countsOfGroups()) groupOf(name).settingCount = count;
      return { groups: [...groups.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
    },
  );

  app.patch(
    '/groups/:name',
    {
      schema: {
        tags: ['devices'],
        summary: 'Renames a group, and all that is kept under its name',
        params: Type.Object({ name: GroupName }),
        body: GroupPatch,
        response: { 200: RenamedGroup, ...problemAnswers },
      },
      preHandler: app.requireRole('admin', 'settings'),
    },
    ({ params, body, actor }) => renameGroup(app, { from: params.name, to: body.name, actor, nowMs: clock.nowMs() }),
  );
};
