/**
 * Whether a device is there: one pure transition over everything that says so.
 *
 * INVARIANTS
 * - After a connection was closed the device is offline within a second, unless it came back before.
 * - After a restart of the server a device is `unknown` until it is heard, or until its keepalive has run out.
 * - How long it waits is measured: a server whose own clock is set to another time neither loses devices nor keeps those that are gone.
 * - Once the broker has said that the last connection is gone, a message that was still on its way brings nobody back.
 * - On a wire that is shared with other servers (an external broker) no broker says who is connected: a device is there while it is heard,
 *   until its will or `silentMs` without a word. While the wire itself is lost, nobody is called offline.
 */
import { type Moment, timestamp } from '#fleet-server/clock.ts';
import type { DevicePresence } from '#protocol/model/device.ts';

export type PresenceTrack = {
  readonly shown: DevicePresence;
  /** What the broker of this process last said; `unseen` while it has said nothing. */
  readonly connection: 'connected' | 'disconnected' | 'unseen';
  /** When it becomes offline if nothing is heard until then, by the monotonic clock. */
  readonly offline: { readonly atMs: number; readonly reason: string } | null;
};

export type PresenceEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected'; readonly reason: string }
  | { readonly kind: 'heard' }
  /** Here or by another server, on a shared wire. */
  | { readonly kind: 'heard-on-wire' }
  | { readonly kind: 'said-offline'; readonly reason: 'stopping' | 'connection-lost' | 'connected' }
  | { readonly kind: 'wire-lost' }
  | { readonly kind: 'wire-open' }
  | { readonly kind: 'time' };

/** Long enough for a connection that is replaced at once, short enough to be offline within a second. */
export const offlineGraceMs = 500;
/** The keepalive of 10 s times 1.5, as MQTT 3.1.1 section 3.1.2.10 has it, and a second for the way. */
export const keepaliveMs = 16_000;
/** On a shared wire: health comes every 10 s and may be lost; its third time is late. */
export const silentMs = 35_000;

/** `heardAtMs`: when it was last heard in an earlier life of the server. */
export function presenceAtStart(now: Moment, heardAtMs: number | null): PresenceTrack {
  return {
    shown: { state: 'unknown', since: timestamp(now.nowMs), reason: 'The fleet server has just started.' },
    connection: 'unseen',
    offline: {
      atMs: now.monotonicMs + keepaliveMs,
      reason: heardAtMs === null ? 'It has never connected.' : `Last heard at ${timestamp(heardAtMs)}.`,
    },
  };
}

/** On a shared wire, before it is open. */
export function presenceBeforeWire(now: Moment): PresenceTrack {
  return { shown: { state: 'unknown', since: timestamp(now.nowMs), reason: wireLost }, connection: 'unseen', offline: null };
}

const wireLost = 'The fleet server is not connected to the MQTT broker.';

export function presenceOfNewcomer(now: Moment): PresenceTrack {
  return {
    shown: { state: 'offline', since: timestamp(now.nowMs), reason: 'It has joined and not connected yet.' },
    connection: 'unseen',
    offline: null,
  };
}

/** As the server says that it is connected to. */
export function presenceElsewhere(shown: DevicePresence): PresenceTrack {
  return { shown, connection: 'unseen', offline: null };
}

/** The server that it was connected to is gone: it comes to another one, or is offline when its keepalive has run out. */
export function presenceOfLostServer(track: PresenceTrack, now: Moment): PresenceTrack {
  if (track.shown.state === 'offline') return { ...track, connection: 'unseen' };
  return {
    shown: { state: 'unknown', since: timestamp(now.nowMs), reason: 'The fleet server that it was connected to is gone.' },
    connection: 'unseen',
    offline: {
      atMs: now.monotonicMs + keepaliveMs,
      reason: 'It did not come back after the fleet server that it was connected to was gone.',
    },
  };
}

export function presenceAfter(track: PresenceTrack, event: PresenceEvent, now: Moment): PresenceTrack {
  switch (event.kind) {
    case 'connected':
      return { ...online(track, now), connection: 'connected' };
    case 'disconnected':
      return { ...track, connection: 'disconnected', offline: leaving(track, event.reason, now) };
    case 'heard':
      return track.connection === 'disconnected' ? track : online(track, now);
    case 'heard-on-wire':
      return { ...online(track, now), offline: { atMs: now.monotonicMs + silentMs, reason: 'No sign of life from it.' } };
    case 'wire-lost':
      if (track.shown.state === 'offline') return track;
      return { ...track, offline: null, shown: { state: 'unknown', since: timestamp(now.nowMs), reason: wireLost } };
    case 'wire-open':
      if (track.shown.state === 'offline') return track;
      return { ...track, offline: { atMs: now.monotonicMs + silentMs, reason: 'It did not come back after the MQTT broker did.' } };
    case 'said-offline':
      if (event.reason === 'stopping') return gone(track, 'The device was stopped.', now);
      // The will of a connection that was taken over: the new one may take a while to its first word, and the broker knows that it is there.
      if (track.connection === 'connected') return track;
      return { ...track, offline: leaving(track, 'The connection was lost.', now) };
    case 'time':
      if (track.offline === null || track.offline.atMs > now.monotonicMs) return track;
      return gone(track, track.offline.reason, now);
    default:
      return event satisfies never;
  }
}

function online(track: PresenceTrack, now: Moment): PresenceTrack {
  if (track.shown.state === 'online') return track.offline === null ? track : { ...track, offline: null };
  return { ...track, offline: null, shown: { state: 'online', since: timestamp(now.nowMs), reason: 'Connected.' } };
}

function leaving(track: PresenceTrack, reason: string, now: Moment): PresenceTrack['offline'] {
  if (track.shown.state === 'offline') return null;
  // The earlier of two signs counts, and `unknown` does not wait for the keepalive any longer.
  const atMs = now.monotonicMs + offlineGraceMs;
  return track.offline !== null && track.offline.atMs <= atMs ? track.offline : { atMs, reason };
}

function gone(track: PresenceTrack, reason: string, now: Moment): PresenceTrack {
  if (track.shown.state === 'offline') return { ...track, offline: null };
  return { ...track, offline: null, shown: { state: 'offline', since: timestamp(now.nowMs), reason } };
}
