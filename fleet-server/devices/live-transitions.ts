/**
 * How what is known of a device changes: pure, so that the same messages always give the same picture.
 *
 * INVARIANTS
 * - Order is (session counter, sequence number), never a clock of the device: what is not newer changes nothing.
 * - The death of an old session is ignored.
 */
import { timestamp } from '#fleet-server/clock.ts';
import { keptReport } from '#fleet-server/devices/kept-report.ts';
import type { LiveDevice, SessionPosition, UpwardMessage } from '#fleet-server/devices/live-device.ts';
import { claimsToStreamHere, streamState } from '#fleet-server/devices/stream-state.ts';
import type { Session } from '#protocol/identifiers.ts';
import type { DevicePresence, RelayReception } from '#protocol/model/device.ts';

export type Freshness = 'fresh' | 'stale' | 'session-went-back';

function hasOrderOfItsOwn({ name }: UpwardMessage): boolean {
  return name === 'event' || name === 'command-progress' || name === 'command-result' || name === 'log';
}

/** Whether a message may change anything. What has a number or an id of its own always may. */
export function freshness(position: SessionPosition | null, message: UpwardMessage): Freshness {
  const { name, envelope } = message;
  if (hasOrderOfItsOwn(message)) return 'fresh';
  const { session, sequence } = envelope;
  if (position === null || session.counter > position.counter) return 'fresh';
  const isSameSession = session.counter === position.counter && session.bootId === position.bootId;
  // A will is written when the connection is made, so its sequence number is old by nature.
  if (name === 'presence' && envelope.body.state === 'offline') return isSameSession ? 'fresh' : 'stale';
  if (isSameSession) {
    // A report that was overtaken by the word that newer settings are in force would take their revision back.
    const overtakenBy = name === 'report' ? (position.sequences.applied ?? -1) : -1;
    return sequence > Math.max(overtakenBy, position.sequences[name] ?? -1) ? 'fresh' : 'stale';
  }
  // A birth under another boot id with a counter that is not newer: a card was restored from a copy, or cloned. The connection is real, so
  // it is believed rather than ignored for ever.
  return name === 'hello' && session.bootId !== position.bootId ? 'session-went-back' : 'stale';
}

export function positionAfter(position: SessionPosition | null, message: UpwardMessage): SessionPosition | null {
  const { name, envelope } = message;
  if (hasOrderOfItsOwn(message)) return position;
  const isSameSession = position !== null && isSession(position, envelope.session);
  const sequences = isSameSession ? position.sequences : {};
  const hasGoneBack = position !== null && !isSameSession && envelope.session.counter <= position.counter;
  const { bootId, counter } = envelope.session;
  return {
    era: (position?.era ?? 0) + (hasGoneBack ? 1 : 0),
    bootId,
    counter,
    sequences: { ...sequences, [name]: Math.max(envelope.sequence, sequences[name] ?? 0) },
    over: overAfter(isSameSession ? position.over : null, message),
  };
}

function overAfter(over: SessionPosition['over'], { name, envelope }: UpwardMessage): SessionPosition['over'] {
  if (name !== 'presence' || envelope.body.state === 'online' || over === 'stopping') return over;
  return envelope.body.reason === 'stopping' ? 'stopping' : 'connection-lost';
}

export function isSession(position: SessionPosition, session: Session): boolean {
  return position.counter === session.counter && position.bootId === session.bootId;
}

/** What a fresh message says of the device itself. Presence is decided apart from it, see presence.ts. */
export function learn(live: LiveDevice, message: UpwardMessage): LiveDevice {
  switch (message.name) {
    case 'hello':
      return { ...live, versions: message.envelope.body.versions };
    case 'report': {
      const { media, outputs, conditions, ...lasting } = message.envelope.body;
      const report = keptReport(lasting, live.report);
      return { ...live, report, media, outputs, conditions, streamsHere: report.streamsHere };
    }
    case 'health': {
      const { media, outputs, conditions, figures, board, adaptation = null, recordings = null } = message.envelope.body;
      return { ...live, media, outputs, conditions, figures, board, adaptation, recordings };
    }
    case 'presence':
    case 'health-backlog':
    case 'event':
    case 'log':
    case 'applied':
    case 'command-progress':
    case 'command-result':
      return live;
    default:
      return message satisfies never;
  }
}

/** Puts presence and reception in, and draws from the whole what the stream's state is, and since when. */
export function settle(live: LiveDevice, presence: DevicePresence, reception: RelayReception | null, nowMs: number): LiveDevice {
  const { waitingSinceMs, blockedSinceMs, media, outputs, conditions, relayProblem, streamsHere } = live;
  const isMissing = reception === null && claimsToStreamHere({ presence, media, outputs, streamsHere });
  // What is ahead of the clock began just now: the clock was set back.
  const missingSinceMs = isMissing ? Math.min(live.missingSinceMs ?? nowMs, nowMs) : null;
  const heard = { presence, media, outputs, conditions, streamsHere };
  const view = { ...heard, waitingSinceMs, blockedSinceMs, reception, relayProblem, missingSinceMs };
  const { kind, detail } = streamState(view, nowMs);
  const isSameKind = kind === live.stream.kind;
  const isSame = isSameKind && detail === live.stream.detail;
  const stream = isSame ? live.stream : { kind, detail, since: isSameKind ? live.stream.since : timestamp(nowMs) };
  // Of nearly every message of a large fleet.
  if (isSame && presence === live.presence && reception === live.reception && missingSinceMs === live.missingSinceMs) return live;
  return { ...live, presence, reception, missingSinceMs, stream };
}
