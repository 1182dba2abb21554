/** `app.copies`: whether two boards use one device's identity. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { Copies } from '#fleet-server/enrolment/copies.ts';

declare module 'fastify' {
  interface FastifyInstance {
    copies: Copies;
  }
}

async function enrolment(app: FastifyInstance, { clock }: { readonly clock: Clock }): Promise<void> {
  app.decorate('copies', new Copies(app, clock));
}

export const enrolmentPlugin = fastifyPlugin(enrolment, {
  name: 'enrolment',
  dependencies: ['store', 'servers', 'audit', 'history', 'devices', 'commands'],
});
