/** `app.relay`: nginx with its RTMP module, written, started, watched and mended by the fleet server. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Relay, RelayHooks } from '#fleet-server/relay/contract.ts';
import { registerHls } from '#fleet-server/relay/hls.ts';
import { RelayService } from '#fleet-server/relay/relay.ts';

declare module 'fastify' {
  interface FastifyInstance {
    relay: Relay;
  }
}

export type RelayOptions = RelayHooks & {
  /** FLEET_DATA_DIR. The relay's own files are in a folder of its own, see runtime-directory.ts. */
  readonly dataDirectory: string;
  /** FLEET_RTMP_PORT. */
  readonly rtmpPort: number;
  /** FLEET_PUBLIC_RTMP_PORT: the same as players see it. */
  readonly publicRtmpPort?: number;
  /** FLEET_PUBLIC_URL, when set: the host in the addresses that are given to players. */
  readonly publicUrl?: string;
};

async function relay(app: FastifyInstance, options: RelayOptions): Promise<void> {
  const service = new RelayService({ ...options, log: app.log });
  app.decorate('relay', service);
  registerHls(app, {
    directory: service.paths.hlsDirectory,
    isTicketValid: (deviceId, ticket) => service.isTicketValid(deviceId, ticket),
    isViewer: options.isViewer,
    isReceived: (deviceId) => service.isReceived(deviceId),
    onWatched: (deviceId, viewer) => service.noteViewer(deviceId, viewer),
    placeOf: (deviceId) => options.placeOf?.(deviceId) ?? null,
    makeTicket: (deviceId) => service.makeTicket(deviceId),
  });
  app.addHook('onReady', () => service.start());
  app.addHook('onClose', () => service.stop());
}

export const relayPlugin = fastifyPlugin(relay, { name: 'relay' });
