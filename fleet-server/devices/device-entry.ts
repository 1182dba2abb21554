/** A device in the register: what the store has of it, and what is known of it now. Pure. */

import { timestamp } from '#fleet-server/clock.ts';
import type { StoredDevice } from '#fleet-server/devices/devices-store.ts';
import { storedReport } from '#fleet-server/devices/kept-report.ts';
import type { LiveDevice, SessionPosition } from '#fleet-server/devices/live-device.ts';
import { settle } from '#fleet-server/devices/live-transitions.ts';
import { type Losses, noLosses } from '#fleet-server/devices/losses.ts';
import type { PresenceTrack } from '#fleet-server/devices/presence.ts';
import { isStillTwice } from '#fleet-server/enrolment/boards.ts';
import type { PictureTopic } from '#protocol/envelope.ts';
import type { Versions } from '#protocol/messages.ts';

export type DeviceEntry = {
  name: string;
  /** As the store keeps them. */
  tags: string;
  credentialHash: Buffer;
  nextCredentialHash: Buffer | null;
  keyGeneration: number;
  track: PresenceTrack;
  live: LiveDevice;
  /** The report's text as the store has it, as far as this server knows. */
  reportInStore: string | null;
  /** The other server that it is connected to, or that receives it; null: this one, or none. */
  readonly elsewhere: { agent: string | null; reception: string | null };
  /** Whether it is, or was last, this server's. */
  readonly here: { agent: boolean; reception: boolean };
  /** The server whose relay received it last: null is this one; undefined: none that is known of. */
  receivedBy: string | null | undefined;
  /** The other servers that have the newest pictures, on a shared wire; null: this one. */
  readonly picturesFrom: Record<PictureTopic, string | null>;
};

/** Of which nothing was heard since the store was written. `losses`: see `storedLosses`. */
export function entryOf(device: StoredDevice, track: PresenceTrack, losses: Losses, nowMs: number): DeviceEntry {
  const report = storedReport(device.report);
  const session: SessionPosition | null =
    device.bootId === null
      ? null
      : { era: device.sessionEra, bootId: device.bootId, counter: device.sessionCounter, sequences: {}, over: null };
  const blank: LiveDevice = {
    id: device.id,
    group: device.groupName,
    waitingSinceMs: device.waitingSinceMs,
    blockedSinceMs: device.blockedSinceMs,
    boardId: device.boardId,
    otherBoardSeenMs: device.otherBoardSeenMs,
    twice: twiceOf(device, nowMs),
    presence: track.shown,
    losses,
    heardAtMs: device.heardAtMs,
    session,
    media: null,
    outputs: [],
    adaptation: null,
    conditions: [],
    figures: null,
    board: null,
    recordings: null,
    versions: parseStored<Versions>(device.versions),
    report,
    reception: null,
    relayProblem: null,
    streamsHere: report?.streamsHere ?? false,
    missingSinceMs: null,
    stream: { kind: 'unknown', detail: '', since: timestamp(nowMs) },
    previewAtMs: null,
    snapshotAtMs: null,
  };
  return {
    name: device.name,
    tags: device.tags,
    credentialHash: Buffer.from(device.credentialHash, 'hex'),
    nextCredentialHash: fromHex(device.nextCredentialHash),
    keyGeneration: device.keyGeneration,
    track,
    live: settle(blank, track.shown, null, nowMs),
    reportInStore: device.report === report?.text ? device.report : null,
    elsewhere: { agent: null, reception: null },
    here: { agent: false, reception: false },
    receivedBy: undefined,
    picturesFrom: { preview: null, snapshot: null },
  };
}

export function twiceOf({ twiceSinceMs, twiceSeenMs, twiceDetail }: StoredDevice, nowMs: number): LiveDevice['twice'] {
  if (twiceSinceMs === null || !isStillTwice(twiceSeenMs, nowMs)) return null;
  return { sinceMs: twiceSinceMs, seenMs: twiceSeenMs, detail: twiceDetail };
}

/** By the time of day. */
export function storedLosses({ lossesAtMs, unstableSinceMs }: StoredDevice): Losses {
  return lossesAtMs === null ? noLosses : { atMs: JSON.parse(lossesAtMs) as number[], unstableSinceMs };
}

export function fromHex(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'hex');
}

/** It was checked against its schema before it was stored. */
export function parseStored<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
