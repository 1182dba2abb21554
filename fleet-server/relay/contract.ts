/** What the relay needs of the rest of the fleet server, and what it offers: types only. */
import type { FastifyRequest } from 'fastify';
import type { Playback, RelayReception } from '#protocol/model/device.ts';

export type RelayHooks = {
  isKnown(deviceId: string): boolean;
  /** Constant in time. `key` is the secret part of the stream key alone. */
  isStreamKeyRight(deviceId: string, key: string): boolean;
  /** After each reading of the statistics (0.5 s) for each device that is received; null once when it no longer is. */
  setReception(deviceId: string, reception: RelayReception | null): void;
  /** Whether the request comes from somebody who is signed in and may watch. */
  isViewer(request: FastifyRequest): boolean | Promise<boolean>;
  /** The relay of another fleet server on the same database that receives the device now; null when none does. */
  placeOf?(deviceId: string): RelayPlace | null;
  /** A keyed hash under the server's own secret (app.secrets.hmac). */
  hmac(purpose: string, text: string): Buffer;
  /** The relay was started, lost or adopted: `app.changes.publish({ subject: 'relay' })`. */
  onStateChange?(state: RelayState): void;
};

export type RelayState = {
  readonly kind: 'stopped' | 'starting' | 'running' | 'restarting';
  /** Of the nginx master process; null unless it runs. */
  readonly processId: number | null;
  /** It was started by an earlier life of this server, which died without stopping it. */
  readonly adopted: boolean;
  /** Since this server started. */
  readonly restarts: number;
  /** When it came to this state; milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Why it is not running; empty when it is. */
  readonly detail: string;
};

export type RelayPlace = { readonly url: string; readonly rtmpPort: number };

export type Relay = {
  /**
   * Addresses that a player can open as they stand. `requestHost` is the Host header of the request that asks; `elsewhere` is, of
   * several servers, where the one is whose relay receives the device: RTMP is played there, HLS at any of them.
   */
  playback(deviceId: string, requestHost: string, protocol?: 'http' | 'https', elsewhere?: RelayPlace | null): Playback;
  state(): RelayState;
  /** Throws out whoever publishes under this name, for a device that was revoked or whose key was changed. */
  dropPublisher(deviceId: string): Promise<void>;
  /** The one to give to devices with their stream key. */
  readonly port: number;
  readonly application: string;
};
