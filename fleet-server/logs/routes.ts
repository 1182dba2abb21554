/** Log lines of a device: ask it with the command send-logs, then read them here, or have them told as they come. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '#fleet-server/clock.ts';
import { deviceNotFound } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { EventStreams } from '#fleet-server/http/event-streams.ts';
import { LogsElsewhere } from '#fleet-server/logs/logs-elsewhere.ts';
import { mayAct } from '#fleet-server/people/people.ts';
import { DeviceId } from '#protocol/identifiers.ts';
import { DeviceLog } from '#protocol/model/log.ts';

const Params = Type.Object({ id: DeviceId });
const ticket = Type.Optional(Type.String({ maxLength: 64, description: 'Of another fleet server that asks' }));
const Query = Type.Object({ after: Type.Optional(Type.Integer({ minimum: 0, description: 'The `next` of the answer before' })), ticket });
const LiveQuery = Type.Object({
  last: Type.Optional(Type.String({ maxLength: 80, description: 'The id of the last event, where no header Last-Event-ID can be sent' })),
  ticket,
});

/** Each may be passed on from another server and have a page of a browser at its end. */
const maxConnections = 50;
const maxOfOne = 20;
/** All the lines of a device that are kept are sent at once at the beginning. */
const maxBufferedBytes = 8 * 1024 * 1024;
const linesAtOnce = 200;

type Asking = FastifyRequest<{ Params: { id: string }; Querystring: { ticket?: string; after?: number; last?: string } }>;

export const logsRoutes: FastifyPluginAsyncTypebox<{ readonly clock: Clock }> = async (app, { clock }) => {
  const operator = app.requireRole('operator');
  const elsewhere = new LogsElsewhere({ hmac: (purpose, text) => app.secrets.hmac(purpose, text), clock });
  const streams = new EventStreams(app, { clock, maxConnections, maxOfOne, maxBufferedBytes });

  const isServer = ({ params: { id }, query }: Asking) => query.ticket !== undefined && elsewhere.isTicketValid(id, query.ticket);
  const preHandler = async (request: Asking, reply: FastifyReply): Promise<void> => {
    if (!isServer(request)) await operator.call(app, request, reply);
  };
  const placeFor = (request: Asking) =>
    request.query.ticket === undefined ? (app.sharedDevices?.placeOfAgent(request.params.id) ?? null) : null;

  app.get(
    '/devices/:id/logs',
    {
      schema: {
        tags: ['devices'],
        summary: 'What a device has sent of its log, after the command send-logs',
        params: Params,
        querystring: Query,
        response: { 200: DeviceLog, ...problemAnswers },
      },
      preHandler,
    },
    async (request) => {
      const { id } = request.params;
      const { after = 0 } = request.query;
      if (!app.devices.isKnown(id)) throw deviceNotFound(id);
      const place = placeFor(request);
      return place === null ? app.logs.read(id, after) : elsewhere.read(place, id, after);
    },
  );

  app.get(
    '/devices/:id/logs/live',
    {
      schema: {
        tags: ['devices'],
        summary: 'The same as it comes, as server-sent events, each with a DeviceLog',
        params: Params,
        querystring: LiveQuery,
        produces: ['text/event-stream'],
        response: { 200: Type.String(), ...problemAnswers },
      },
      preHandler,
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!app.devices.isKnown(id)) throw deviceNotFound(id);
      const header = request.headers['last-event-id'];
      const lastId = typeof header === 'string' ? header : (request.query.last ?? '');
      const place = placeFor(request);
      // A fleet server looks after its own client: it closes this when that one has gone or may not go on.
      const isPassedOn = isServer(request);
      const mayGoOn = async () => {
        if (isPassedOn) return true;
        const person = await app.currentPerson(request);
        return person !== null && mayAct(person.role, 'operator') && placeFor(request)?.url === place?.url;
      };
      streams.serve(reply, {
        reader: isPassedOn ? null : request.actor,
        mayGoOn,
        begin: (send, close) => {
          if (place === null) return tellAsItComes(id, lastId, send);
          const ending = new AbortController();
          elsewhere
            .follow(place, id, lastId, send, ending.signal)
            .catch((err: unknown) => {
              if (!ending.signal.aborted) app.log.warn({ err, deviceId: id }, 'a log could not be followed at another fleet server');
            })
            // The page comes back, and finds the device where it is by then.
            .finally(close);
          return () => ending.abort();
        },
      });
    },
  );

  /** Numbers are those of this life of this server: an id of another begins anew. */
  function tellAsItComes(id: string, lastId: string, send: (text: string) => void): () => void {
    const [serverId, number] = lastId.split(' ');
    let after = serverId === app.servers.id && /^\d{1,15}$/.test(number ?? '') ? Number(number) : 0;
    const tell = (): void => {
      const { lines, next } = app.logs.read(id, after);
      for (let start = 0; start < lines.length; start += linesAtOnce) {
        const part = lines.slice(start, start + linesAtOnce);
        const partNext = part.at(-1)?.number ?? next;
        send(`event: log\nid: ${app.servers.id} ${partNext}\ndata: ${JSON.stringify({ lines: part, next: partNext })}\n\n`);
      }
      after = next;
    };
    tell();
    return app.logs.onNew(id, tell);
  }
};
