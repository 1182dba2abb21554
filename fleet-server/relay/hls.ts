/** The HLS pictures over the HTTP port: `/hls/<ticket>/<device id>/index.m3u8` and its fragments. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { FleetError, toProblem } from '#fleet-server/errors.ts';
import type { RelayPlace } from '#fleet-server/relay/contract.ts';
import { fetchHls, passedOnHeader } from '#fleet-server/relay/hls-elsewhere.ts';
import { isDeviceId } from '#protocol/identifiers.ts';
import { Problem } from '#protocol/model/problem.ts';

const playlistName = 'index.m3u8';
/** As nginx-rtmp names them: a running number. */
const fragmentName = /^\d{1,12}\.ts$/;

export type HlsOptions = {
  readonly directory: string;
  isTicketValid(deviceId: string, ticket: string): boolean;
  isViewer(request: FastifyRequest): boolean | Promise<boolean>;
  /** Whether the relay receives the device now: a playlist that a stream left behind is not shown. */
  isReceived(deviceId: string): boolean;
  onWatched(deviceId: string, viewer: string): void;
  /** The relay of another fleet server that receives the device now; null when none does. */
  placeOf(deviceId: string): RelayPlace | null;
  /** For a viewer who is signed in and whose ticket has ended. */
  makeTicket(deviceId: string): string;
};

export function registerHls(app: FastifyInstance, options: HlsOptions): void {
  const schema = {
    hide: true,
    params: Type.Object({ ticket: Type.String(), deviceId: Type.String(), file: Type.String() }),
    response: { 403: Problem, 404: Problem },
  };
  app.get<{ Params: { ticket: string; deviceId: string; file: string } }>(
    '/hls/:ticket/:deviceId/:file',
    { schema, logLevel: 'silent' },
    async (request, reply) => {
      const { ticket, deviceId, file } = request.params;
      const isPlaylist = file === playlistName;
      if (!isDeviceId(deviceId) || !(isPlaylist || fragmentName.test(file))) {
        return refuse(reply, new FleetError('not-found', `Expected ${playlistName} or a fragment of it.`));
      }
      const isTicketValid = options.isTicketValid(deviceId, ticket);
      if (!isTicketValid && !(await options.isViewer(request))) {
        return refuse(reply, new FleetError('not-allowed', 'Expected a ticket that is still valid: ask for the playback address again.'));
      }
      reply.header('content-type', isPlaylist ? 'application/vnd.apple.mpegurl' : 'video/mp2t');
      // A fragment's number can come again after the relay was restarted: it is kept no longer than the playlist lists it.
      reply.header('cache-control', isPlaylist ? 'no-store' : 'private, max-age=10');
      const place = options.isReceived(deviceId) || request.headers[passedOnHeader] !== undefined ? null : options.placeOf(deviceId);
      if (place !== null) {
        const elsewhere = await fetchHls(place, { deviceId, ticket: isTicketValid ? ticket : options.makeTicket(deviceId), file });
        return elsewhere === undefined ? refuse(reply, noPicture()) : reply.send(elsewhere);
      }
      const handle = isPlaylist && !options.isReceived(deviceId) ? undefined : await openFile(join(options.directory, deviceId, file));
      if (handle === undefined) {
        return refuse(reply, noPicture());
      }
      if (isPlaylist) options.onWatched(deviceId, `${request.ip} ${ticket}`);
      return reply.send(handle.createReadStream());
    },
  );
}

function noPicture(): FleetError {
  return new FleetError('not-found', 'There is no picture of this device now: the relay does not receive it.');
}

function refuse(reply: FastifyReply, error: FleetError): FastifyReply {
  return reply.code(error.status).type('application/json').header('cache-control', 'no-store').send(toProblem(error));
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ELOOP') return undefined;
    throw cause;
  }
}
