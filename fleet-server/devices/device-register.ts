/**
 * The devices of the fleet, as they are now.
 *
 * INVARIANTS
 * - Everything here is drawn from the store at the start and from messages after it; nothing is only here but what a device says again by itself.
 * - Asking whether a credential or a stream key is right needs no store access: a fleet that reconnects as a whole must not queue for the disk.
 */
import { timingSafeEqual } from 'node:crypto';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import type { StoredDevice } from '#fleet-server/devices/devices-store.ts';
import type { LiveDevice, SessionPosition, UpwardMessage } from '#fleet-server/devices/live-device.ts';
import { freshness, learn, positionAfter, settle } from '#fleet-server/devices/live-transitions.ts';
import {
  type PresenceEvent,
  type PresenceTrack,
  presenceAfter,
  presenceAtStart,
  presenceOfNewcomer,
} from '#fleet-server/devices/presence.ts';
import { createPreviews, type Preview, type Previews } from '#fleet-server/devices/previews.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { Report, Versions } from '#protocol/messages.ts';
import type { Change } from '#protocol/model/change.ts';
import type { RelayReception } from '#protocol/model/device.ts';

export type DeviceRegisterOptions = {
  readonly clock: Clock;
  readonly secrets: Secrets;
  publishChange(change: Change): void;
  /** A device came or went. */
  onPresence?(live: LiveDevice): void;
};

type Entry = {
  readonly credentialHash: Buffer;
  readonly keyGeneration: number;
  track: PresenceTrack;
  live: LiveDevice;
};

/** How often presence and arrival are looked at again for what only time changes. */
const tickMs = 250;
/** Figures of a stream that goes on are told this often; that it came or went is told at once. */
const receptionChangeMs = 5000;

export class DeviceRegister {
  readonly #options: DeviceRegisterOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #previews: Previews = createPreviews();
  readonly #receptionToldAtMs = new Map<string, number>();
  #stopTicking: (() => void) | null = null;

  constructor(options: DeviceRegisterOptions) {
    this.#options = options;
  }

  start(stored: readonly StoredDevice[]): void {
    const nowMs = this.#options.clock.nowMs();
    for (const device of stored) this.#put(device, presenceAtStart(nowMs, device.heardAtMs), nowMs);
    this.#stopTicking = this.#options.clock.every(tickMs, () => this.#tick());
  }

  stop(): void {
    this.#stopTicking?.();
    this.#stopTicking = null;
  }

  /** A device that has just joined. */
  add(device: StoredDevice): void {
    const nowMs = this.#options.clock.nowMs();
    this.#put(device, presenceOfNewcomer(nowMs), nowMs);
    this.#options.publishChange({ subject: 'device', deviceId: device.id });
  }

  remove(deviceId: string): void {
    this.#entries.delete(deviceId);
    this.#previews.delete(deviceId);
    this.#receptionToldAtMs.delete(deviceId);
    this.#options.publishChange({ subject: 'device', deviceId });
  }

  /** Whether the device's credential is right; takes the same time for unknown devices. */
  authenticate(deviceId: string, credential: string): boolean {
    const came = this.credentialHash(credential);
    const entry = this.#entries.get(deviceId);
    return timingSafeEqual(came, entry?.credentialHash ?? Buffer.alloc(came.length)) && entry !== undefined;
  }

  credentialHash(credential: string): Buffer {
    return this.#options.secrets.hmac('device-credential', credential);
  }

  isKnown(deviceId: string): boolean {
    return this.#entries.has(deviceId);
  }

  get(deviceId: string): LiveDevice | undefined {
    return this.#entries.get(deviceId)?.live;
  }

  *list(): Generator<LiveDevice> {
    for (const entry of this.#entries.values()) yield entry.live;
  }

  /** Takes a decoded message. What is not newer than what came before changes nothing. */
  onMessage(message: UpwardMessage): 'fresh' | 'stale' | 'session-went-back' {
    const entry = this.#entries.get(message.deviceId);
    if (entry === undefined) return 'stale';
    const verdict = freshness(entry.live.session, message);
    if (verdict === 'stale') return verdict;
    const nowMs = this.#options.clock.nowMs();
    const learned = learn(entry.live, message);
    entry.live = { ...learned, session: positionAfter(entry.live.session, message), heardAtMs: nowMs };
    this.#change(entry, presenceEventOf(message), entry.live.reception);
    return verdict;
  }

  onPreview(deviceId: string, jpeg: Buffer): void {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined) return;
    const atMs = this.#options.clock.nowMs();
    this.#previews.set(deviceId, { jpeg, atMs });
    entry.live = { ...entry.live, previewAtMs: atMs };
    this.#options.publishChange({ subject: 'device-preview', deviceId });
  }

  preview(deviceId: string): Preview | undefined {
    return this.#previews.get(deviceId);
  }

  onConnection(deviceId: string, state: 'connected' | 'disconnected', reason: string): void {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined) return;
    const event: PresenceEvent = state === 'connected' ? { kind: 'connected' } : { kind: 'disconnected', reason: goodbyeText(reason) };
    this.#change(entry, event, entry.live.reception);
  }

  setReception(deviceId: string, reception: RelayReception | null): void {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined || (reception === null && entry.live.reception === null)) return;
    this.#change(entry, { kind: 'time' }, reception);
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - (this.#receptionToldAtMs.get(deviceId) ?? 0) < receptionChangeMs) return;
    this.#receptionToldAtMs.set(deviceId, nowMs);
    this.#options.publishChange({ subject: 'device', deviceId });
  }

  streamKeyFor(deviceId: string): string {
    return this.streamKeyOf(deviceId, this.#entries.get(deviceId)?.keyGeneration ?? 0);
  }

  streamKeyOf(deviceId: string, generation: number): string {
    return this.#options.secrets.hmac('stream-key', `${deviceId} ${generation}`).toString('base64url');
  }

  isStreamKeyRight(deviceId: string, key: string): boolean {
    const expected = this.#options.secrets.hmac('compare', this.streamKeyFor(deviceId));
    return timingSafeEqual(expected, this.#options.secrets.hmac('compare', key)) && this.isKnown(deviceId);
  }

  #put(device: StoredDevice, track: PresenceTrack, nowMs: number): void {
    const report = parseStored<Report>(device.report);
    const session: SessionPosition | null =
      device.bootId === null ? null : { bootId: device.bootId, counter: device.sessionCounter, sequences: {} };
    const blank: LiveDevice = {
      id: device.id,
      presence: track.shown,
      heardAtMs: device.heardAtMs,
      session,
      media: null,
      outputs: [],
      conditions: [],
      figures: null,
      board: null,
      versions: parseStored<Versions>(device.versions),
      report,
      reception: null,
      streamsHere: report?.settings['AV_STREAM_URL']?.level === 'relay',
      missingSinceMs: null,
      stream: { kind: 'unknown', detail: '', since: timestamp(nowMs) },
      previewAtMs: null,
    };
    this.#entries.set(device.id, {
      credentialHash: Buffer.from(device.credentialHash, 'hex'),
      keyGeneration: device.keyGeneration,
      track,
      live: settle(blank, track.shown, null, nowMs),
    });
  }

  #tick(): void {
    for (const entry of this.#entries.values()) {
      if (entry.track.offline === null && entry.live.missingSinceMs === null) continue;
      const before = entry.live;
      this.#change(entry, { kind: 'time' }, before.reception);
    }
  }

  #change(entry: Entry, event: PresenceEvent, reception: RelayReception | null): void {
    const nowMs = this.#options.clock.nowMs();
    const before = entry.live;
    entry.track = presenceAfter(entry.track, event, nowMs);
    entry.live = settle(before, entry.track.shown, reception, nowMs);
    const hasTurned = before.presence.state !== entry.live.presence.state;
    if (hasTurned) this.#options.onPresence?.(entry.live);
    if (event.kind !== 'time' || hasTurned || before.stream.kind !== entry.live.stream.kind) {
      this.#options.publishChange({ subject: 'device', deviceId: before.id });
    }
  }
}

function presenceEventOf(message: UpwardMessage): PresenceEvent {
  if (message.name !== 'presence' || message.envelope.body.state === 'online') return { kind: 'heard' };
  return { kind: 'said-offline', reason: message.envelope.body.reason };
}

const goodbyeTexts: Readonly<Record<string, string>> = {
  goodbye: 'It disconnected.',
  'keepalive-timeout': 'No sign of life from it.',
  revoked: 'It was removed from the fleet.',
  'connection-lost': 'The connection was lost.',
};

function goodbyeText(reason: string): string {
  return goodbyeTexts[reason] ?? 'The connection was closed.';
}

/** It was checked against its schema before it was stored. */
function parseStored<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
