/** The watchdog's policy, of the fleet and of groups. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import type { PolicyScope } from '#fleet-server/watchdog/policies.ts';
import { GroupName } from '#protocol/identifiers.ts';
import { WatchdogPolicy, WatchdogPolicyAnswer, WatchdogPolicyList } from '#protocol/model/watchdog.ts';

const tags = ['watchdog'];

const addresses = [
  { url: '/fleet/watchdog-policy', whose: 'the fleet' },
  { url: '/groups/:name/watchdog-policy', whose: 'a group' },
] as const;

export const watchdogRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const admin = app.requireRole('admin', 'settings');
  const nameOf = (request: FastifyRequest): string | null => (request.params as { name?: string }).name ?? null;
  const scopeOf = (request: FastifyRequest): PolicyScope => {
    const name = nameOf(request);
    return name === null ? { level: 'fleet', scope: '' } : { level: 'group', scope: name };
  };

  app.get(
    '/watchdog-policies',
    {
      schema: { tags, summary: 'Groups that have a policy of their own', response: { 200: WatchdogPolicyList, ...problemAnswers } },
      preHandler: app.requireRole('viewer'),
    },
    async () => {
      const counts = new Map<string, number>();
      for (const { group } of app.devices.list()) if (group !== null) counts.set(group, (counts.get(group) ?? 0) + 1);
      return { groups: app.watchdogPolicies.ofGroups().map((own) => ({ ...own, deviceCount: counts.get(own.name) ?? 0 })) };
    },
  );

  for (const { url, whose } of addresses) {
    const response = { 200: WatchdogPolicyAnswer, ...problemAnswers };
    const params = url.includes(':name') ? Type.Object({ name: GroupName }) : Type.Object({});
    app.get(
      url,
      { schema: { tags, summary: `The watchdog's policy for ${whose}`, params, response }, preHandler: app.requireRole('viewer') },
      async (request) => app.watchdogPolicies.answer(nameOf(request)),
    );
    app.put(
      url,
      { schema: { tags, summary: `Sets the watchdog's policy for ${whose}`, params, body: WatchdogPolicy, response }, preHandler: admin },
      async (request) => {
        await app.watchdogPolicies.set(scopeOf(request), request.body, request.actor);
        return app.watchdogPolicies.answer(nameOf(request));
      },
    );
    app.delete(
      url,
      { schema: { tags, summary: `Takes the watchdog's policy for ${whose} back`, params, response }, preHandler: admin },
      async (request) => {
        await app.watchdogPolicies.set(scopeOf(request), null, request.actor);
        return app.watchdogPolicies.answer(nameOf(request));
      },
    );
  }
};
