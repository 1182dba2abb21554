/** The addresses that are given to players. */

import { relayApplication } from '#fleet-server/relay/nginx-config.ts';
import type { Playback } from '#protocol/model/device.ts';

export type PlaybackRequest = {
  readonly deviceId: string;
  readonly ticket: string;
  readonly expiresAtMs: number;
  /** Where RTMP is played; the host is the one that was asked unless it is told. */
  readonly rtmp: { readonly port: number; readonly host?: string };
  /** FLEET_PUBLIC_URL; without it, the host under which the asking client reached this server. */
  readonly publicUrl: string | undefined;
  readonly requestHost: string;
  readonly protocol: 'http' | 'https';
};

export function playbackAddresses(request: PlaybackRequest): Playback {
  const { deviceId, ticket, rtmp } = request;
  const base = baseUrl(request);
  const path = base.pathname.replace(/\/+$/, '');
  return {
    rtmp: `rtmp://${rtmp.host ?? base.hostname}:${rtmp.port}/${relayApplication}/${deviceId}?ticket=${ticket}`,
    hls: `${base.origin}${path}/hls/${ticket}/${deviceId}/index.m3u8`,
    expiresAt: new Date(request.expiresAtMs).toISOString(),
  };
}

function baseUrl({ publicUrl, requestHost, protocol }: PlaybackRequest): URL {
  if (publicUrl !== undefined) return new URL(publicUrl);
  // The Host header comes from the client: only what parses as a bare host, with or without a port, is taken over.
  const isBareHost = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(requestHost);
  const address = `${protocol}://${isBareHost ? requestHost : 'localhost'}`;
  return URL.canParse(address) ? new URL(address) : new URL(`${protocol}://localhost`);
}
