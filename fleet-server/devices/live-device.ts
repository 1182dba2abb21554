/** What the fleet server knows of a device at this moment, and the messages it learns that from. */

import type { KeptReport } from '#fleet-server/devices/kept-report.ts';
import type { Losses } from '#fleet-server/devices/losses.ts';
import type { RelayHealth } from '#fleet-server/servers/relay-health.ts';
import type { Condition } from '#protocol/conditions.ts';
import type { UpwardEnvelope, UpwardName } from '#protocol/envelope.ts';
import type { BitrateAdaptation, MediaFigures, MediaState, OutputStatus } from '#protocol/media.ts';
import type { BoardHealth, RecordingsSummary, Versions } from '#protocol/messages.ts';
import type { DevicePresence, RelayReception, StreamState } from '#protocol/model/device.ts';

/** A decoded message from a device whose topic the broker has already checked. */
export type UpwardMessage = {
  readonly [N in UpwardName]: { readonly deviceId: string; readonly name: N; readonly envelope: UpwardEnvelope<N> };
}[UpwardName];

/** The session whose messages count, and the highest sequence number that was accepted in it of each kind of message. */
export type SessionPosition = {
  /** Grows when a device comes back with an older counter (a card that was restored or copied): what came before it is older all the same. */
  readonly era: number;
  readonly bootId: string;
  readonly counter: number;
  readonly sequences: { readonly [N in UpwardName]?: number };
  /** Said by the device or by its last will: nothing of this session brings it back. */
  readonly over: 'stopping' | 'connection-lost' | null;
};

/** Plain data, replaced as a whole at every change, so that it may later be kept outside this process. */
export type LiveDevice = {
  readonly id: string;
  readonly group: string | null;
  /** Since when it waits for a person to let it in; null: it is in. */
  readonly waitingSinceMs: number | null;
  /** Since when it is shut out; null: it is not. */
  readonly blockedSinceMs: number | null;
  /** The board that it belongs to, and when another one was heard last under its name. */
  readonly boardId: string | null;
  readonly otherBoardSeenMs: number | null;
  /** Two boards use its identity: since when, when that was last seen, and which; null: none that is known of. */
  readonly twice: { readonly sinceMs: number; readonly seenMs: number; readonly detail: string } | null;
  readonly presence: DevicePresence;
  readonly losses: Losses;
  /** When the last message was accepted, by this server's clock; null when none was since the store was made. */
  readonly heardAtMs: number | null;
  readonly session: SessionPosition | null;
  readonly media: MediaState | null;
  readonly outputs: readonly OutputStatus[];
  /** Null where the bitrate does not follow the uplink. */
  readonly adaptation: BitrateAdaptation | null;
  readonly conditions: readonly Condition[];
  readonly figures: MediaFigures | null;
  readonly board: BoardHealth | null;
  /** Null: the device has no place for recordings, or says nothing of them. */
  readonly recordings: RecordingsSummary | null;
  readonly versions: Versions | null;
  readonly report: KeptReport | null;
  /** What the relay receives under the device's name; null when nothing. */
  readonly reception: RelayReception | null;
  /** The relay that it streams to is down, or with its server gone; null: it is not, or the device streams elsewhere. */
  readonly relayProblem: RelayHealth | null;
  /** Whether the device's stream address is the one that this fleet gave to it. */
  readonly streamsHere: boolean;
  /** Since when, by this server's clock, the device has said that it streams and the relay has received nothing; else null. */
  readonly missingSinceMs: number | null;
  readonly stream: StreamState;
  readonly previewAtMs: number | null;
  readonly snapshotAtMs: number | null;
};

/** What a device itself said: what one server tells another about it. What the store holds, each reads there. */
export const saidFields = [
  'presence',
  'session',
  'media',
  'outputs',
  'adaptation',
  'conditions',
  'figures',
  'board',
  'recordings',
  'versions',
  'streamsHere',
  'previewAtMs',
  'snapshotAtMs',
] as const satisfies readonly (keyof LiveDevice)[];
