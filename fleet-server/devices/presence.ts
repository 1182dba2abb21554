/**
 * Whether a device is there: one pure transition over everything that says so.
 *
 * INVARIANTS
 * - After a connection was closed the device is offline within a second, unless it came back before.
 * - After a restart of the server a device is `unknown` until it is heard, or until its keepalive has run out.
 * - Once the broker has said that the last connection is gone, a message that was still on its way brings nobody back.
 */
import { timestamp } from '#fleet-server/clock.ts';
import type { DevicePresence } from '#protocol/model/device.ts';

export type PresenceTrack = {
  readonly shown: DevicePresence;
  /** What the broker of this process last said; `unseen` while it has said nothing. */
  readonly connection: 'connected' | 'disconnected' | 'unseen';
  /** When it becomes offline if nothing is heard until then. */
  readonly offline: { readonly atMs: number; readonly reason: string } | null;
};

export type PresenceEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected'; readonly reason: string }
  | { readonly kind: 'heard' }
  | { readonly kind: 'said-offline'; readonly reason: 'stopping' | 'connection-lost' | 'connected' }
  | { readonly kind: 'time' };

/** Long enough for a connection that is replaced at once, short enough to be offline within a second. */
export const offlineGraceMs = 500;
/** The keepalive of 10 s times 1.5, as MQTT 3.1.1 section 3.1.2.10 has it, and a second for the way. */
export const keepaliveMs = 16_000;

/** `heardAtMs`: when it was last heard in an earlier life of the server. */
export function presenceAtStart(nowMs: number, heardAtMs: number | null): PresenceTrack {
  return {
    shown: { state: 'unknown', since: timestamp(nowMs), reason: 'The fleet server has just started.' },
    connection: 'unseen',
    offline: {
      atMs: nowMs + keepaliveMs,
      reason: heardAtMs === null ? 'It has never connected.' : `Last heard at ${timestamp(heardAtMs)}.`,
    },
  };
}

export function presenceOfNewcomer(nowMs: number): PresenceTrack {
  return {
    shown: { state: 'offline', since: timestamp(nowMs), reason: 'It has joined and not connected yet.' },
    connection: 'unseen',
    offline: null,
  };
}

/** As the server says that it is connected to. */
export function presenceElsewhere(shown: DevicePresence): PresenceTrack {
  return { shown, connection: 'unseen', offline: null };
}

/** The server that it was connected to is gone: it comes to another one, or is offline when its keepalive has run out. */
export function presenceOfLostServer(track: PresenceTrack, nowMs: number): PresenceTrack {
  if (track.shown.state === 'offline') return { ...track, connection: 'unseen' };
  return {
    shown: { state: 'unknown', since: timestamp(nowMs), reason: 'The fleet server that it was connected to is gone.' },
    connection: 'unseen',
    offline: { atMs: nowMs + keepaliveMs, reason: 'It did not come back after the fleet server that it was connected to was gone.' },
  };
}

export function presenceAfter(track: PresenceTrack, event: PresenceEvent, nowMs: number): PresenceTrack {
  switch (event.kind) {
    case 'connected':
      return { ...online(track, nowMs), connection: 'connected' };
    case 'disconnected':
      return { ...track, connection: 'disconnected', offline: leaving(track, event.reason, nowMs) };
    case 'heard':
      return track.connection === 'disconnected' ? track : online(track, nowMs);
    case 'said-offline':
      if (event.reason === 'stopping') return gone(track, 'The device was stopped.', nowMs);
      // The will of a connection that was taken over arrives like this as well: the next word from the device withdraws it.
      return { ...track, offline: leaving(track, 'The connection was lost.', nowMs) };
    case 'time':
      if (track.offline === null || track.offline.atMs > nowMs) return track;
      return gone(track, track.offline.reason, nowMs);
    default:
      return event satisfies never;
  }
}

function online(track: PresenceTrack, nowMs: number): PresenceTrack {
  if (track.shown.state === 'online') return track.offline === null ? track : { ...track, offline: null };
  return { ...track, offline: null, shown: { state: 'online', since: timestamp(nowMs), reason: 'Connected.' } };
}

function leaving(track: PresenceTrack, reason: string, nowMs: number): PresenceTrack['offline'] {
  if (track.shown.state === 'offline') return null;
  // The earlier of two signs counts, and `unknown` does not wait for the keepalive any longer.
  const atMs = nowMs + offlineGraceMs;
  return track.offline !== null && track.offline.atMs <= atMs ? track.offline : { atMs, reason };
}

function gone(track: PresenceTrack, reason: string, nowMs: number): PresenceTrack {
  if (track.shown.state === 'offline') return { ...track, offline: null };
  return { ...track, offline: null, shown: { state: 'offline', since: timestamp(nowMs), reason } };
}
