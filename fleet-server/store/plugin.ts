/** `app.store` and `app.secrets`; both are opened by the composition root, so that subcommands open them the same way. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { Store } from '#fleet-server/store/store.ts';

declare module 'fastify' {
  interface FastifyInstance {
    store: Store;
    secrets: Secrets;
  }
}

async function store(app: FastifyInstance, options: { readonly store: Store; readonly secrets: Secrets }): Promise<void> {
  app.decorate('store', options.store);
  app.decorate('secrets', options.secrets);
}

export const storePlugin = fastifyPlugin(store, { name: 'store' });
