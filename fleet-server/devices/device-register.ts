/**
 * The devices of the fleet, as they are now.
 *
 * INVARIANTS
 * - A device that is connected to another fleet server is shown as that one says (live-exchange.ts); what this one hears itself counts more.
 * - On a wire that the servers share (an external broker) a device belongs to none of them: what each hears is put together (heard-on-wire.ts).
 * - Everything here is drawn from the store at the start and from messages after it; nothing is only here but what a device says again by itself.
 */
import { type Clock, momentOf, steadyTime } from '#fleet-server/clock.ts';
import { type DeviceEntry, entryOf, fromHex, storedLosses, twiceOf } from '#fleet-server/devices/device-entry.ts';
import { DeviceRights } from '#fleet-server/devices/device-rights.ts';
import type { DeviceKeys, StoredDevice } from '#fleet-server/devices/devices-store.ts';
import { mergeHeard, readHeard, writeHeard } from '#fleet-server/devices/heard-on-wire.ts';
import { storedReport } from '#fleet-server/devices/kept-report.ts';
import type { LiveDevice, UpwardMessage } from '#fleet-server/devices/live-device.ts';
import { freshness, isSession, learn, positionAfter, settle } from '#fleet-server/devices/live-transitions.ts';
import { type Losses, lossesAfter, lossesNow, noLosses, readLosses, writeLosses } from '#fleet-server/devices/losses.ts';
import {
  type PresenceEvent,
  type PresenceTrack,
  presenceAfter,
  presenceAtStart,
  presenceBeforeWire,
  presenceElsewhere,
  presenceOfLostServer,
  presenceOfNewcomer,
} from '#fleet-server/devices/presence.ts';
import { createPreviews, type Preview, type Previews } from '#fleet-server/devices/previews.ts';
import {
  type LivePart,
  readSharedAgent,
  readSharedReception,
  writeSharedAgent,
  writeSharedReception,
} from '#fleet-server/devices/shared-device.ts';
import { sortedByName } from '#fleet-server/devices/sort-name.ts';
import { isStillTwice } from '#fleet-server/enrolment/boards.ts';
import { isRelayBad, type RelayHealth } from '#fleet-server/servers/relay-health.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { type PictureTopic, pictureTopics } from '#protocol/envelope.ts';
import type { Change } from '#protocol/model/change.ts';
import type { RelayReception } from '#protocol/model/device.ts';

export type DeviceRegisterOptions = {
  readonly clock: Clock;
  readonly secrets: Secrets;
  /** Any server hears any message of a device: see DeviceBroker. */
  readonly isWireShared?: boolean;
  publishChange(change: Change): void;
  /** How the relay of a server is; null: of this one. */
  relayOf?(serverId: string | null): RelayHealth;
  /** A device came or went, by what this server itself knows. `losses`: by the time of day, when its connection was lost once more. */
  onPresence?(live: LiveDevice, losses: Losses | null): void;
  /** That its connection is lost just now is no sign of trouble. */
  isLossMeant?(live: LiveDevice): boolean;
  /** It is shut out from now on: what it holds open here is to be cut. */
  onShutOut?(deviceId: string): void;
  /** It has just turned out to be connected to another server. */
  onElsewhere?(deviceId: string): void;
  /** A device has used its new credential for the first time. */
  onCredentialTaken?(deviceId: string, hash: string): void;
  /** Something changed about a device that is this server's; `isClaim`: it has just become so. */
  onOwn?(deviceId: string, part: LivePart, isClaim: boolean): void;
};

/** What people call it and how they tagged it (as the store keeps that), for those who look at the whole fleet: they need not ask the store. */
export type KnownDevice = { readonly name: string; readonly tags: string; readonly live: LiveDevice };

/** Of the snapshots of all devices together, each of the newest. */
const maxSnapshotBytes = 64 * 1024 * 1024;
/** How often presence and arrival are looked at again for what only time changes. */
const tickMs = 250;
/** Figures of a stream that goes on are told this often; that it came or went is told at once. */
const receptionChangeMs = 5000;

export class DeviceRegister {
  readonly rights: DeviceRights;
  readonly #options: DeviceRegisterOptions;
  readonly #entries = new Map<string, DeviceEntry>();
  readonly #pictures: Readonly<Record<PictureTopic, Previews>> = { preview: createPreviews(), snapshot: createPreviews(maxSnapshotBytes) };
  readonly #receptionToldAtMs = new Map<string, number>();
  readonly #steadyMs: () => number;
  #stopTicking: (() => void) | null = null;
  #isWireOpen = false;
  #byName: readonly DeviceEntry[] | null = null;

  constructor(options: DeviceRegisterOptions) {
    this.#options = options;
    this.#steadyMs = steadyTime(options.clock);
    this.rights = new DeviceRights({ ...options, find: (deviceId) => this.#entries.get(deviceId) });
  }

  start(stored: readonly StoredDevice[]): void {
    const now = momentOf(this.#options.clock);
    const isWireShared = this.#options.isWireShared === true;
    for (const device of stored) {
      const track = isWireShared ? presenceBeforeWire(now) : presenceAtStart(now, device.heardAtMs);
      this.#entries.set(device.id, this.#entryOf(device, track));
    }
    this.#stopTicking = this.#options.clock.every(tickMs, () => this.#tick());
  }

  stop(): void {
    this.#stopTicking?.();
    this.#stopTicking = null;
  }

  /** A device that has just joined. */
  add(device: StoredDevice): void {
    const now = momentOf(this.#options.clock);
    this.#entries.set(device.id, this.#entryOf(device, presenceOfNewcomer(now)));
    this.#byName = null;
    this.#options.publishChange({ subject: 'device', deviceId: device.id });
  }

  remove(deviceId: string): void {
    this.#entries.delete(deviceId);
    this.#byName = null;
    for (const pictures of Object.values(this.#pictures)) pictures.delete(deviceId);
    this.#receptionToldAtMs.delete(deviceId);
    this.#options.publishChange({ subject: 'device', deviceId });
  }

  isKnown(deviceId: string): boolean {
    return this.#entries.has(deviceId);
  }

  get(deviceId: string): LiveDevice | undefined {
    return this.#entries.get(deviceId)?.live;
  }

  onlineCount(): number {
    let count = 0;
    for (const { track } of this.#entries.values()) if (track.shown.state === 'online') count += 1;
    return count;
  }

  *list(): Generator<LiveDevice> {
    for (const entry of this.#entries.values()) yield entry.live;
  }

  *known(): Generator<KnownDevice> {
    yield* this.#entries.values();
  }

  nameOf(deviceId: string): string | undefined {
    return this.#entries.get(deviceId)?.name;
  }

  /** Of devices that are called so, in capital letters or small ones. */
  idsOfName(name: string): string[] {
    const wanted = name.toLowerCase();
    return [...this.#entries].flatMap(([id, entry]) => (entry.name.toLowerCase() === wanted ? [id] : []));
  }

  /** Put in order only after a name has come, changed or gone. */
  knownByName(): readonly KnownDevice[] {
    this.#byName ??= sortedByName(this.#entries.values(), ({ name, live }) => ({ name, id: live.id }));
    return this.#byName;
  }

  /** Takes a decoded message. What is not newer than what came before changes nothing. */
  onMessage(message: UpwardMessage): 'fresh' | 'stale' | 'session-went-back' {
    const entry = this.#entries.get(message.deviceId);
    if (entry === undefined || isIgnored(entry.live, message)) return 'stale';
    const verdict = freshness(entry.live.session, message);
    if (verdict === 'stale') return verdict;
    const nowMs = this.#options.clock.nowMs();
    const learned = learn(entry.live, message);
    entry.live = { ...learned, session: positionAfter(entry.live.session, message), heardAtMs: nowMs };
    if (this.#options.isWireShared === true) {
      this.#hearOnWire(entry, message);
      return verdict;
    }
    // The will of a connection that another server has taken over comes late: it says nothing of that other connection.
    if (entry.elsewhere.agent === null) this.#change(entry, presenceEventOf(message), entry.live.reception);
    return verdict;
  }

  onPicture(deviceId: string, name: PictureTopic, jpeg: Buffer): void {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined) return;
    const atMs = this.#options.clock.nowMs();
    this.#pictures[name].set(deviceId, { jpeg, atMs });
    entry.live = { ...entry.live, [`${name}AtMs` as const]: atMs };
    entry.picturesFrom[name] = null;
    this.#tellPicture(deviceId, name);
    this.#options.onOwn?.(deviceId, this.#agentPart(), false);
  }

  picture(deviceId: string, name: PictureTopic): Preview | undefined {
    return this.#pictures[name].get(deviceId);
  }

  onConnection(deviceId: string, state: 'connected' | 'disconnected', reason: string): void {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined) return;
    const event: PresenceEvent =
      state === 'connected'
        ? { kind: 'connected' }
        : { kind: 'disconnected', reason: this.rights.mayConnect(deviceId) ? goodbyeText(reason) : blockedReason };
    if (state === 'connected') this.#claim(entry, 'agent');
    // It has gone over to another server, which knows better.
    else if (entry.elsewhere.agent !== null) return;
    this.#change(entry, event, entry.live.reception);
  }

  /** What this server's own relay receives. */
  setReception(deviceId: string, reception: RelayReception | null): void {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined || (reception === null && (entry.live.reception === null || entry.elsewhere.reception !== null))) return;
    if (reception !== null) entry.receivedBy = null;
    if (reception !== null && !(entry.here.reception && entry.live.reception !== null)) this.#claim(entry, 'reception');
    this.#change(entry, { kind: 'time' }, reception);
    this.#options.onOwn?.(deviceId, 'reception', false);
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - (this.#receptionToldAtMs.get(deviceId) ?? Number.NEGATIVE_INFINITY) < receptionChangeMs) return;
    this.#receptionToldAtMs.set(deviceId, nowMs);
    this.#options.publishChange({ subject: 'device', deviceId });
  }

  /** On a shared wire: whether this server can hear devices. */
  onWire(state: 'open' | 'lost'): void {
    this.#isWireOpen = state === 'open';
    for (const entry of this.#entries.values()) {
      const isOver = state === 'open' && (entry.live.session?.over ?? null) !== null;
      this.#change(entry, isOver ? this.#wireEvent(entry.live) : { kind: `wire-${state}` }, entry.live.reception);
    }
  }

  /** Whether the store has just this text. Only where no other server writes there. */
  isReportStored(deviceId: string, text: string): boolean {
    return this.#entries.get(deviceId)?.reportInStore === text;
  }

  noteReportStored(deviceId: string, text: string): void {
    const entry = this.#entries.get(deviceId);
    if (entry !== undefined) entry.reportInStore = text;
  }

  isHere(deviceId: string, part: LivePart): boolean {
    if (part === 'heard') return this.#entries.has(deviceId);
    return this.#entries.get(deviceId)?.here[part] ?? false;
  }

  /** As `apply` of another server takes it. The report is long and stands in the store: only how many there were is said. */
  documentOf(deviceId: string, part: LivePart): string | null {
    const live = this.#entries.get(deviceId)?.live;
    if (live === undefined) return null;
    if (part === 'heard') {
      const ownAtMs = (name: PictureTopic) => this.picture(deviceId, name)?.atMs ?? null;
      return writeHeard(live, { previewAtMs: ownAtMs('preview'), snapshotAtMs: ownAtMs('snapshot') });
    }
    return part === 'agent' ? writeSharedAgent(live, this.#lossesToTell(live)) : writeSharedReception(live.reception);
  }

  /** What another server says of a device that is connected to it, or that its relay receives. */
  apply(deviceId: string, part: LivePart, serverId: string, document: string | null): void {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined) return;
    const before = entry.live;
    if (part === 'heard') {
      this.#applyHeard(entry, serverId, document);
      return;
    }
    if (part === 'reception') {
      const reception = readSharedReception(document);
      // What the table has of a time before this server was started.
      if (entry.receivedBy === undefined) entry.receivedBy = serverId;
      // The end of what another relay received says nothing of what this one receives.
      if (reception === null && entry.elsewhere.reception !== serverId) return;
      entry.elsewhere.reception = reception === null ? null : serverId;
      entry.receivedBy = serverId;
      entry.here.reception = false;
      this.#settle(entry, before, reception);
    } else {
      const agent = readSharedAgent(document);
      if (agent === null) return;
      const isNew = entry.elsewhere.agent !== serverId;
      entry.elsewhere.agent = serverId;
      entry.here.agent = false;
      entry.track = presenceElsewhere(agent.presence);
      this.#settle(entry, { ...before, ...agent, losses: this.#lossesTold(agent.losses) }, before.reception);
      if (before.previewAtMs !== agent.previewAtMs) this.#options.publishChange({ subject: 'device-preview', deviceId });
      if (isNew) this.#options.onElsewhere?.(deviceId);
    }
    if (before.stream.kind !== entry.live.stream.kind || before.presence.state !== entry.live.presence.state || part === 'agent') {
      this.#options.publishChange({ subject: 'device', deviceId });
    }
  }

  /** Another server is gone. Its devices are unknown until they are heard here or elsewhere, or their keepalive has run out. */
  forget(serverId: string): void {
    for (const entry of this.#entries.values()) {
      const { elsewhere } = entry;
      if (elsewhere.agent !== serverId && elsewhere.reception !== serverId) continue;
      const isReceived = elsewhere.reception !== serverId && entry.live.reception !== null;
      if (elsewhere.reception === serverId) elsewhere.reception = null;
      if (elsewhere.agent === serverId) {
        elsewhere.agent = null;
        entry.track = presenceOfLostServer(entry.track, momentOf(this.#options.clock));
      }
      this.#settle(entry, entry.live, isReceived ? entry.live.reception : null);
      this.#options.publishChange({ subject: 'device', deviceId: entry.live.id });
    }
  }

  /** The server whose relay it streams to, as far as is known; null: this one. */
  relayServerOf(deviceId: string): string | null {
    const entry = this.#entries.get(deviceId);
    return entry === undefined ? null : this.#relayServerOf(entry);
  }

  /** A relay is down, or runs again: its devices show it. */
  relaysChanged(): void {
    for (const entry of this.#entries.values()) {
      const before = entry.live;
      this.#settle(entry, before, before.reception);
      if (before.relayProblem !== entry.live.relayProblem) this.#options.publishChange({ subject: 'device', deviceId: before.id });
    }
  }

  /** The other server that it is connected to. */
  connectedElsewhere(deviceId: string): string | null {
    return this.#entries.get(deviceId)?.elsewhere.agent ?? null;
  }

  /** The other server that has its newest picture. */
  pictureElsewhere(deviceId: string, name: PictureTopic): string | null {
    return this.#entries.get(deviceId)?.picturesFrom[name] ?? this.connectedElsewhere(deviceId);
  }

  /** The other server whose relay receives it. */
  receivedElsewhere(deviceId: string): string | null {
    return this.#entries.get(deviceId)?.elsewhere.reception ?? null;
  }

  /** Whether it is known as the store has it. */
  isAsStored(stored: DeviceKeys): boolean {
    const entry = this.#entries.get(stored.id);
    if (entry === undefined) return false;
    const { waitingSinceMs, blockedSinceMs, group } = entry.live;
    if (entry.name !== stored.name || entry.tags !== stored.tags || group !== stored.groupName) return false;
    if (waitingSinceMs !== stored.waitingSinceMs || blockedSinceMs !== stored.blockedSinceMs) return false;
    const { nextCredentialHash, credentialHash, keyGeneration } = stored;
    if ((entry.nextCredentialHash?.toString('hex') ?? null) !== nextCredentialHash) return false;
    return entry.credentialHash.toString('hex') === credentialHash && entry.keyGeneration === keyGeneration;
  }

  /** What the store says of a device that another server may have added or changed. */
  update(stored: StoredDevice): void {
    const entry = this.#entries.get(stored.id);
    if (entry === undefined) {
      this.add(stored);
      return;
    }
    if (entry.name !== stored.name) this.#byName = null;
    entry.name = stored.name;
    entry.tags = stored.tags;
    entry.credentialHash = Buffer.from(stored.credentialHash, 'hex');
    entry.nextCredentialHash = fromHex(stored.nextCredentialHash);
    entry.keyGeneration = stored.keyGeneration;
    const { boardId, otherBoardSeenMs } = stored;
    entry.live = { ...entry.live, group: stored.groupName, boardId, otherBoardSeenMs, twice: twiceOf(stored, this.#options.clock.nowMs()) };
    const { waitingSinceMs, blockedSinceMs } = stored;
    if (entry.live.waitingSinceMs !== waitingSinceMs || entry.live.blockedSinceMs !== blockedSinceMs) {
      const isShutOut = blockedSinceMs !== null && entry.live.blockedSinceMs === null;
      this.#settle(entry, { ...entry.live, waitingSinceMs, blockedSinceMs }, entry.live.reception);
      if (isShutOut) {
        // On a wire of their own a connection that is cut says so itself; a broker elsewhere does not tell the will of one it was told to forget.
        if (this.#options.isWireShared === true) this.#change(entry, { kind: 'disconnected', reason: blockedReason }, entry.live.reception);
        this.#options.onShutOut?.(stored.id);
      }
    }
    // Of its own devices this server has heard the newest report itself.
    if (!entry.here.agent) entry.live = { ...entry.live, report: storedReport(stored.report) };
    this.#options.publishChange({ subject: 'device', deviceId: stored.id });
  }

  /** As the store has them now. */
  setTags(deviceId: string, tags: string): void {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined) return;
    entry.tags = tags;
    this.#options.publishChange({ subject: 'device', deviceId });
  }

  /** The group is called otherwise in the store now. */
  renameGroup(from: string, to: string): void {
    for (const { live } of this.#entries.values()) if (live.group === from) this.setGroup(live.id, to);
  }

  /** As the store has it now. */
  setGroup(deviceId: string, group: string | null): void {
    if (this.noteGroup(deviceId, group)) this.#options.publishChange({ subject: 'device', deviceId });
  }

  /** The same where the caller publishes the change. Answers whether the device is known. */
  noteGroup(deviceId: string, group: string | null): boolean {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined) return false;
    entry.live = { ...entry.live, group };
    return true;
  }

  #tick(): void {
    const { nowMs, monotonicMs } = momentOf(this.#options.clock);
    const steadyNowMs = this.#steadyMs();
    for (const entry of this.#entries.values()) {
      const { twice, losses } = entry.live;
      const lossesLeft = lossesNow(losses, steadyNowMs);
      if (lossesLeft !== losses) {
        entry.live = { ...entry.live, losses: lossesLeft };
        this.#options.publishChange({ subject: 'device', deviceId: entry.live.id });
      }
      if (twice !== null && !isStillTwice(twice.seenMs, nowMs)) {
        entry.live = { ...entry.live, twice: null };
        this.#options.publishChange({ subject: 'device', deviceId: entry.live.id });
      }
      const isDue = entry.track.offline !== null && entry.track.offline.atMs <= monotonicMs;
      if (!isDue && entry.live.missingSinceMs === null) continue;
      const before = entry.live;
      this.#change(entry, { kind: 'time' }, before.reception);
    }
  }

  /** While this server hears nobody, what it still deals with and what others say tell it nothing of who is there now. */
  #wireEvent({ session }: LiveDevice): PresenceEvent {
    if (!this.#isWireOpen) return { kind: 'time' };
    const over = session?.over ?? null;
    return over === null ? { kind: 'heard-on-wire' } : { kind: 'said-offline', reason: over };
  }

  #tellPicture(deviceId: string, name: PictureTopic): void {
    this.#options.publishChange({ subject: name === 'preview' ? 'device-preview' : 'device', deviceId });
  }

  #agentPart(): LivePart {
    return this.#options.isWireShared === true ? 'heard' : 'agent';
  }

  #hearOnWire(entry: DeviceEntry, { name, envelope }: UpwardMessage): void {
    const { session } = entry.live;
    // Events, results and log lines may be of an older session: they say nothing of whether it is there.
    if (session === null || !isSession(session, envelope.session)) return;
    this.#change(entry, this.#wireEvent(entry.live), entry.live.reception);
    // Who comes and goes is told the others at once.
    if (name === 'presence' || name === 'hello') this.#options.onOwn?.(entry.live.id, 'heard', true);
  }

  #applyHeard(entry: DeviceEntry, serverId: string, document: string | null): void {
    const heard = readHeard(document);
    if (heard === null) return;
    const { id } = entry.live;
    for (const name of pictureTopics) {
      const field = `${name}AtMs` as const;
      const atMs = heard[field];
      if (atMs === null || atMs <= (entry.live[field] ?? 0)) continue;
      entry.live = { ...entry.live, [field]: atMs };
      entry.picturesFrom[name] = serverId;
      this.#tellPicture(id, name);
    }
    const merged = mergeHeard(entry.live, heard);
    if (merged === undefined || merged.session === null) return;
    // What a server knows that has not heard the device of late is no sign of life, and neither is what it heard before the device was shut out.
    const isThere = merged.blockedSinceMs === null && (heard.presence.state === 'online' || merged.session.over !== null);
    entry.live = { ...merged, heardAtMs: heard.presence.state === 'online' ? this.#options.clock.nowMs() : merged.heardAtMs };
    this.#change(entry, isThere ? this.#wireEvent(merged) : { kind: 'time' }, entry.live.reception, false);
    this.#options.publishChange({ subject: 'device', deviceId: id });
  }

  #entryOf(device: StoredDevice, track: PresenceTrack): DeviceEntry {
    return entryOf(device, track, this.#lossesTold(storedLosses(device)), this.#options.clock.nowMs());
  }

  /** A device that says that it goes is gone at once; of a connection that is closed it is known a moment later. */
  #isLost(before: LiveDevice, after: LiveDevice, event: PresenceEvent): boolean {
    if (event.kind !== 'time' || before.presence.state !== 'online' || after.presence.state !== 'offline') return false;
    return !meantReasons.includes(after.presence.reason) && this.#options.isLossMeant?.(after) !== true;
  }

  #lossesToTell({ losses }: LiveDevice): Losses {
    return writeLosses(losses, this.#options.clock.nowMs(), this.#steadyMs());
  }

  /** A server of a version that knows nothing of them says none. */
  #lossesTold(losses: Losses = noLosses): Losses {
    return readLosses(losses, this.#options.clock.nowMs(), this.#steadyMs());
  }

  #claim(entry: DeviceEntry, part: 'agent' | 'reception'): void {
    entry.elsewhere[part] = null;
    entry.here[part] = true;
    this.#options.onOwn?.(entry.live.id, part, true);
  }

  #settle(entry: DeviceEntry, live: LiveDevice, reception: RelayReception | null): void {
    const relayProblem = reception === null && live.streamsHere ? this.#relayProblem(entry) : null;
    const known = live.relayProblem === relayProblem ? live : { ...live, relayProblem };
    entry.live = settle(known, entry.track.shown, reception, this.#options.clock.nowMs());
  }

  #relayProblem(entry: DeviceEntry): RelayHealth | null {
    const health = this.#options.relayOf?.(this.#relayServerOf(entry));
    return health !== undefined && isRelayBad(health) ? health : null;
  }

  /** Before any has received it: where its agent is connected, since both addresses are most often of one machine. */
  #relayServerOf({ receivedBy, elsewhere }: DeviceEntry): string | null {
    return receivedBy === undefined ? elsewhere.agent : receivedBy;
  }

  #change(entry: DeviceEntry, event: PresenceEvent, reception: RelayReception | null, isOwn = true): void {
    const before = entry.live;
    entry.track = presenceAfter(entry.track, event, momentOf(this.#options.clock));
    this.#settle(entry, before, reception);
    const hasTurned = before.presence.state !== entry.live.presence.state;
    const isLost = this.#isLost(before, entry.live, event);
    if (isLost) entry.live = { ...entry.live, losses: lossesAfter(before.losses, this.#options.clock.nowMs(), this.#steadyMs()) };
    if (hasTurned) this.#options.onPresence?.(entry.live, isLost ? this.#lossesToTell(entry.live) : null);
    if (isOwn && (event.kind !== 'time' || hasTurned)) this.#options.onOwn?.(before.id, this.#agentPart(), false);
    if (event.kind !== 'time' || hasTurned || before.stream.kind !== entry.live.stream.kind) {
      this.#options.publishChange({ subject: 'device', deviceId: before.id });
    }
  }
}

/** What one that is shut out says counts for nothing, but that it is gone. */
function isIgnored({ blockedSinceMs }: LiveDevice, { name, envelope }: UpwardMessage): boolean {
  return blockedSinceMs !== null && !(name === 'presence' && envelope.body.state === 'offline');
}

function presenceEventOf(message: UpwardMessage): PresenceEvent {
  if (message.name !== 'presence' || message.envelope.body.state === 'online') return { kind: 'heard' };
  return { kind: 'said-offline', reason: message.envelope.body.reason };
}

const blockedReason = 'It is blocked.';

const goodbyeTexts: Readonly<Record<string, string>> = {
  goodbye: 'It disconnected.',
  'keepalive-timeout': 'No sign of life from it.',
  revoked: 'It was removed from the fleet.',
  'connection-lost': 'The connection was lost.',
};

const meantReasons: readonly string[] = [blockedReason, goodbyeTexts['goodbye'] ?? '', goodbyeTexts['revoked'] ?? ''];

function goodbyeText(reason: string): string {
  return goodbyeTexts[reason] ?? 'The connection was closed.';
}
