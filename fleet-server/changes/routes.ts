/** Live changes as server-sent events. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { createChangeThinner, thinnerWindowMs } from '#fleet-server/changes/change-thinner.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { EventStreams } from '#fleet-server/http/event-streams.ts';
import type { Change } from '#protocol/model/change.ts';

const maxBufferedBytes = 64 * 1024;
const maxConnections = 500;
/** Screens on the walls of a house may share one sign-in. */
const maxOfOne = 100;

export type ChangesRouteOptions = { readonly clock: Clock };

export const changesRoutes: FastifyPluginAsyncTypebox<ChangesRouteOptions> = async (app, { clock }) => {
  const streams = new EventStreams(app, { clock, maxConnections, maxOfOne, maxBufferedBytes });

  const begin = (send: (text: string) => void): (() => void) => {
    const thinner = createChangeThinner();
    const tell = (change: Change, id: number): void => send(`event: change\nid: ${id}\ndata: ${JSON.stringify(change)}\n\n`);
    const unsubscribe = app.changes.subscribe(({ id, change }) => {
      const told = thinner.offer(change);
      if (told !== null) tell(told, id);
    });
    const stopThinner = clock.every(thinnerWindowMs, () => {
      for (const change of thinner.endWindow()) tell(change, app.changes.lastId());
    });
    return () => {
      unsubscribe();
      stopThinner();
    };
  };

  app.get(
    '/changes',
    {
      schema: {
        tags: ['changes'],
        summary: 'Live changes, as server-sent events',
        produces: ['text/event-stream'],
        response: { 200: Type.String(), ...problemAnswers },
      },
      preHandler: app.requireRole('viewer'),
    },
    async (request, reply) => {
      streams.serve(reply, { reader: request.actor, begin, mayGoOn: async () => (await app.currentPerson(request)) !== null });
    },
  );
};
