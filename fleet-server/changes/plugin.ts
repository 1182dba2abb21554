/** `app.changes`: tells whoever listens what to read again. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { type ChangeFeed, createChangeFeed } from '#fleet-server/changes/change-feed.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { Change } from '#protocol/model/change.ts';

declare module 'fastify' {
  interface FastifyInstance {
    changes: ChangeFeed;
  }
}

function isOwnOfEach({ subject }: Change): boolean {
  return subject === 'device' || subject === 'device-preview';
}

async function changes(app: FastifyInstance, options: { readonly clock: Clock }): Promise<void> {
  const { servers } = app;
  const feed = createChangeFeed({
    ...options,
    // Of devices the others learn by themselves what they have to show (live-exchange.ts).
    ...(servers.isAlone ? {} : { tellOthers: (change) => isOwnOfEach(change) || servers.tell({ kind: 'change', change }) }),
  });
  servers.onTold((message) => {
    if (message.kind === 'change') feed.repeat(message.change);
  });
  app.decorate('changes', feed);
  app.addHook('preClose', async () => feed.stop());
}

export const changesPlugin = fastifyPlugin(changes, { name: 'changes', dependencies: ['servers'] });
