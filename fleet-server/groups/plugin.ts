/** What another server renamed is called so here at once; what its message was lost for is found in the store by each part itself. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { renameInMemory } from '#fleet-server/groups/rename-group.ts';

async function groups(app: FastifyInstance): Promise<void> {
  app.servers.onTold((message) => {
    if (message.kind !== 'group-renamed') return;
    renameInMemory(app, message.from, message.to).catch((err: unknown) => {
      app.log.error({ err }, 'what is kept under the name of a renamed group could not be read');
    });
  });
}

export const groupsPlugin = fastifyPlugin(groups, {
  name: 'groups',
  dependencies: ['servers', 'devices', 'maintenance', 'watchdog-policies'],
});
