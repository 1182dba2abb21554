/** The newest pictures of a device: the preview that comes by itself, and the snapshot that somebody asked for. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '#fleet-server/clock.ts';
import { PreviewsElsewhere } from '#fleet-server/devices/previews-elsewhere.ts';
import { deviceNotFound, type ErrorCode, FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import type { PictureTopic } from '#protocol/envelope.ts';
import { DeviceId } from '#protocol/identifiers.ts';

const Params = Type.Object({ id: DeviceId });
const Query = Type.Object({ ticket: Type.Optional(Type.String({ maxLength: 64, description: 'Of another fleet server that asks' })) });
/** Bytes, which no serializer touches. */
const Picture = Type.Unsafe<Buffer>({ type: 'string', format: 'binary' });

type Kind = { readonly name: PictureTopic; readonly summary: string; readonly code: ErrorCode; readonly none: string };

const kinds: readonly Kind[] = [
  {
    name: 'preview',
    summary: 'The newest preview picture',
    code: 'no-preview',
    none: 'This device has sent no preview picture since the fleet server started.',
  },
  {
    name: 'snapshot',
    summary: 'The picture that the last command snapshot brought, in full size',
    code: 'no-snapshot',
    none: 'This device has sent no snapshot since the fleet server started. Ask it for one with the command snapshot.',
  },
];

export const picturesRoutes: FastifyPluginAsyncTypebox<{ readonly clock: Clock }> = async (app, { clock }) => {
  const viewer = app.requireRole('viewer');
  const elsewhere = new PreviewsElsewhere({ hmac: (purpose, text) => app.secrets.hmac(purpose, text), clock });

  for (const { name, summary, code, none } of kinds) {
    app.get(
      `/devices/:id/${name}.jpg`,
      {
        schema: {
          tags: ['devices'],
          summary,
          params: Params,
          querystring: Query,
          produces: ['image/jpeg'],
          response: { 200: Picture, ...problemAnswers },
        },
        preHandler: async (request: FastifyRequest<{ Params: { id: string }; Querystring: { ticket?: string } }>, reply) => {
          const { ticket } = request.query;
          if (ticket === undefined || !elsewhere.isTicketValid(request.params.id, ticket)) await viewer.call(app, request, reply);
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if (!app.devices.isKnown(id)) throw deviceNotFound(id);
        const place = request.query.ticket === undefined ? (app.sharedDevices?.placeOfPicture(id, name) ?? null) : null;
        const picture = place === null ? app.devices.picture(id, name) : await elsewhere.fetchFrom(place, id, name);
        if (picture === undefined) throw new FleetError(code, none);
        return reply
          .header('cache-control', 'private, no-cache')
          .header('last-modified', new Date(picture.atMs).toUTCString())
          .type('image/jpeg')
          .send(picture.jpeg);
      },
    );
  }
};
