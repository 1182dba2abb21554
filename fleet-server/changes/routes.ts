/**
 * Live changes as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 *
 * INVARIANTS
 * - A client that does not read is cut off once `maxBufferedBytes` wait for it: it comes back by itself and reads everything again.
 * - A connection ends with its session, and when the server stops.
 */
import type { ServerResponse } from 'node:http';
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { createChangeThinner, thinnerWindowMs } from '#fleet-server/changes/change-thinner.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import type { Change } from '#protocol/model/change.ts';

const heartbeatMs = 15_000;
const maxBufferedBytes = 64 * 1024;
const maxConnections = 500;
/** How long a browser waits before it connects again. */
const retryMs = 1000;

export type ChangesRouteOptions = { readonly clock: Clock };

export const changesRoutes: FastifyPluginAsyncTypebox<ChangesRouteOptions> = async (app, options) => {
  const open = new Set<() => void>();
  app.addHook('preClose', async () => {
    for (const close of open) close();
  });

  const serve = (request: FastifyRequest, response: ServerResponse): void => {
    const write = (text: string): void => {
      if (response.destroyed) return;
      response.write(text);
      if (response.writableLength > maxBufferedBytes) close();
    };
    const thinner = createChangeThinner();
    const tell = (change: Change, id: number): void => write(`event: change\nid: ${id}\ndata: ${JSON.stringify(change)}\n\n`);
    const unsubscribe = app.changes.subscribe(({ id, change }) => {
      const told = thinner.offer(change);
      if (told !== null) tell(told, id);
    });
    const stopThinner = options.clock.every(thinnerWindowMs, () => {
      for (const change of thinner.endWindow()) tell(change, app.changes.lastId());
    });
    const stopHeartbeat = options.clock.every(heartbeatMs, () => {
      app
        .currentPerson(request)
        .then((person) => (person === null ? close() : write(': still here\n\n')))
        .catch(() => close());
    });
    const close = (): void => {
      unsubscribe();
      stopThinner();
      stopHeartbeat();
      open.delete(close);
      response.destroy();
    };
    open.add(close);
    response.on('close', close);
    write(`retry: ${retryMs}\n: connected\n\n`);
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
      if (open.size >= maxConnections) throw new FleetError('too-busy', `Expected at most ${maxConnections} live connections.`);
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // nginx in front of us would otherwise keep events back.
        'x-accel-buffering': 'no',
      });
      serve(request, reply.raw);
    },
  );
};
