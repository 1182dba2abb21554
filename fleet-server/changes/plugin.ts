/** `app.changes`: tells whoever listens what to read again. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { type ChangeFeed, createChangeFeed } from '#fleet-server/changes/change-feed.ts';
import type { Clock } from '#fleet-server/clock.ts';

declare module 'fastify' {
  interface FastifyInstance {
    changes: ChangeFeed;
  }
}

async function changes(app: FastifyInstance, options: { readonly clock: Clock }): Promise<void> {
  const feed = createChangeFeed(options);
  app.decorate('changes', feed);
  app.addHook('preClose', async () => feed.stop());
}

export const changesPlugin = fastifyPlugin(changes, { name: 'changes' });
