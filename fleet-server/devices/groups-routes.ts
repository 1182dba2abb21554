/** The groups that there are: those with devices in them and those that set something. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { GroupList, type GroupSummary } from '#protocol/model/device.ts';

export const groupsRoutes: FastifyPluginAsyncTypebox = async (app) => {
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
};
