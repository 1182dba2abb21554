/** A device that speaks the real protocol over a plain socket: a client library would cost the load more than the server. */
import { connect, type Socket } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';
import { decodeDownward, encodeUpward, type UpwardBody, type UpwardName } from '#protocol/envelope.ts';
import type { Desired, Health, Report } from '#protocol/messages.ts';
import { parseTopic, topicFor, upwardTopics } from '#protocol/topics.ts';

export type Credentials = { readonly deviceId: string; readonly credential: string };
export type DeviceNews =
  | { readonly kind: 'event-stored'; readonly lagMs: number }
  /** The server has taken the report, or the result: its acknowledgement is here. */
  | { readonly kind: 'reported'; readonly deviceId: string; readonly revision: number; readonly atMs: number }
  | { readonly kind: 'command-answered'; readonly deviceId: string; readonly commandId: string; readonly atMs: number };

const healthEveryMs = 10_000;
const reportEveryMs = 60_000;
const keepaliveS = 10;

/** How often something happens to it, and how long it waits before it connects again. */
export type Pace = { readonly eventEveryMs: number; readonly reconnectMs: { readonly shortest: number; readonly longest: number } };
const usualPace: Pace = { eventEveryMs: 30_000, reconnectMs: { shortest: 500, longest: 5000 } };

/** Milliseconds since 1970 with fractions; the same in every process of the machine. */
export const preciseNowMs = () => performance.timeOrigin + performance.now();

export class SimulatedDevice {
  readonly #credentials: Credentials;
  readonly #port: number;
  readonly #onNews: (news: DeviceNews) => void;
  readonly #pace: Pace;
  #socket: Socket | null = null;
  #timers: NodeJS.Timeout[] = [];
  #counter = 0;
  #sequence = 0;
  #messageId = 0;
  #applied: Pick<Desired, 'revision' | 'digest' | 'levels'> | null = null;
  /** Numbers of events that nobody has acknowledged yet, and when each was first said. */
  readonly #unstored = new Map<number, number>();
  /** Of commands whose result nobody has acknowledged yet. */
  readonly #unanswered = new Set<string>();
  readonly #onAcknowledged = new Map<number, () => void>();
  #eventNumber = 0;
  #isStopped = false;
  #isQuiet = false;
  #again: NodeJS.Timeout | undefined;
  isReady = false;

  constructor(credentials: Credentials, port: number, onNews: (news: DeviceNews) => void, pace = usualPace) {
    this.#credentials = credentials;
    this.#port = port;
    this.#onNews = onNews;
    this.#pace = pace;
  }

  get deviceId(): string {
    return this.#credentials.deviceId;
  }

  /** Of its events; nobody has said that these are stored. */
  get unstored(): number {
    return this.#unstored.size;
  }

  get eventsSaid(): number {
    return this.#eventNumber;
  }

  start(): void {
    const { deviceId, credential } = this.#credentials;
    this.#counter += 1;
    this.#sequence = 0;
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    const packets = parser();
    packets.on('packet', (packet: Packet) => this.#take(packet));
    socket.on('data', (chunk) => packets.parse(chunk as Buffer));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#connectLater());
    const payload = this.#encode('presence', { state: 'offline', reason: 'connection-lost' });
    const will = { topic: topicFor(deviceId, 'presence'), payload: Buffer.from(payload), qos: 1 as const, retain: false };
    const account = { clientId: deviceId, username: deviceId, password: Buffer.from(credential), clean: true, protocolVersion: 4 as const };
    socket.write(generate({ cmd: 'connect', ...account, keepalive: keepaliveS, will }));
  }

  /** Nothing happens to it any more. */
  beQuiet(): void {
    this.#isQuiet = true;
  }

  /** For good. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#again);
    this.#socket?.destroy();
  }

  #connectLater(): void {
    this.isReady = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#onAcknowledged.clear();
    if (this.#isStopped) return;
    const { shortest, longest } = this.#pace.reconnectMs;
    this.#again = setTimeout(() => this.start(), shortest + Math.random() * (longest - shortest));
  }

  #take(packet: Packet): void {
    if (packet.cmd === 'connack' && packet.returnCode === 0) this.#begin();
    else if (packet.cmd === 'puback') this.#acknowledged(packet.messageId ?? 0);
    else if (packet.cmd === 'publish') {
      if (packet.qos === 1) this.#socket?.write(generate({ cmd: 'puback', messageId: packet.messageId ?? 0 }));
      this.#hear(packet.topic, Buffer.from(packet.payload));
    }
  }

  #begin(): void {
    const { deviceId } = this.#credentials;
    const subscriptions = (['desired', 'command', 'event-ack'] as const).map((name) => ({
      topic: topicFor(deviceId, name),
      qos: 1 as const,
    }));
    this.#socket?.write(generate({ cmd: 'subscribe', messageId: this.#nextId(), subscriptions }));
    this.#say('presence', { state: 'online', reason: 'connected' });
    const appliedRevision = this.#applied?.revision ?? 0;
    this.#say('hello', {
      inventoryDigest: 'a'.repeat(64),
      versions: { agent: '1.0.0', node: 'v24', gstreamer: '1.22.0', os: 'Debian GNU/Linux 12' },
      appliedRevision,
      appliedDigest: this.#applied?.digest ?? null,
    });
    this.#say('report', report(this.#applied), () => {
      this.isReady = true;
    });
    for (const number of this.#unstored.keys()) this.#sayEvent(number);
    for (const commandId of this.#unanswered) this.#answer(commandId);
    this.#repeat(healthEveryMs, () => this.#say('health', health()));
    this.#repeat(reportEveryMs, () => this.#say('report', report(this.#applied)));
    this.#repeat(this.#pace.eventEveryMs, () => this.#happen());
  }

  /** First after a random part of the time, then with a jitter of a tenth. */
  #repeat(everyMs: number, action: () => void): void {
    const index = this.#timers.length;
    const next = (delayMs: number) => {
      this.#timers[index] = setTimeout(() => {
        action();
        next(everyMs * (0.9 + Math.random() * 0.2));
      }, delayMs);
    };
    next(Math.random() * everyMs);
  }

  #happen(): void {
    if (this.#isQuiet) return;
    this.#eventNumber += 1;
    this.#unstored.set(this.#eventNumber, preciseNowMs());
    this.#sayEvent(this.#eventNumber);
  }

  #sayEvent(number: number): void {
    this.#say('event', { number, at: new Date().toISOString(), kind: 'bench-event', detail: `number ${number}` });
  }

  #hear(topic: string, payload: Buffer): void {
    const name = parseTopic(topic)?.name;
    if (name === 'desired') {
      const decoded = decodeDownward(name, payload);
      if (decoded.kind === 'message') this.#apply(decoded.envelope.body);
    } else if (name === 'command') {
      const decoded = decodeDownward(name, payload);
      if (decoded.kind === 'message') this.#answer(decoded.envelope.body.id);
    } else if (name === 'event-ack') {
      const decoded = decodeDownward(name, payload);
      if (decoded.kind === 'message') this.#forget(decoded.envelope.body.upToNumber);
    }
  }

  #apply({ revision, digest, levels }: Desired): void {
    if (revision <= (this.#applied?.revision ?? 0)) return;
    this.#applied = { revision, digest, levels };
    const { deviceId } = this.#credentials;
    this.#say('applied', { revision, outcome: 'applied', refusals: [], inForceRevision: revision });
    this.#say('report', report(this.#applied), () => this.#onNews({ kind: 'reported', deviceId, revision, atMs: preciseNowMs() }));
  }

  #answer(commandId: string): void {
    const { deviceId } = this.#credentials;
    this.#unanswered.add(commandId);
    this.#say('command-result', { id: commandId, outcome: 'done', detail: 'frames are coming' }, () => {
      this.#unanswered.delete(commandId);
      this.#onNews({ kind: 'command-answered', deviceId, commandId, atMs: preciseNowMs() });
    });
  }

  #forget(upToNumber: number): void {
    for (const [number, saidAtMs] of this.#unstored) {
      if (number > upToNumber) continue;
      this.#unstored.delete(number);
      this.#onNews({ kind: 'event-stored', lagMs: preciseNowMs() - saidAtMs });
    }
  }

  #say<N extends UpwardName>(name: N, body: UpwardBody<N>, onAcknowledged?: () => void): void {
    const { qos } = upwardTopics[name];
    const messageId = this.#nextId();
    if (onAcknowledged !== undefined) this.#onAcknowledged.set(messageId, onAcknowledged);
    const payload = this.#encode(name, body);
    const topic = topicFor(this.#credentials.deviceId, name);
    this.#socket?.write(generate({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, ...(qos === 1 ? { messageId } : {}) }));
  }

  #acknowledged(messageId: number): void {
    this.#onAcknowledged.get(messageId)?.();
    this.#onAcknowledged.delete(messageId);
  }

  #nextId(): number {
    this.#messageId = (this.#messageId % 65_535) + 1;
    return this.#messageId;
  }

  #encode<N extends UpwardName>(name: N, body: UpwardBody<N>): string {
    this.#sequence += 1;
    const session = { bootId: 'bench', counter: this.#counter };
    return encodeUpward(name, { session, sequence: this.#sequence, sentAt: new Date().toISOString(), body });
  }
}

const since = new Date().toISOString();
const media = { kind: 'running', since } as const;
const output = {
  id: 'rtmp',
  kind: 'rtmp',
  target: 'rtmp://elsewhere.example.org/live',
  state: { kind: 'streaming', since },
  connections: 1,
  bytesSent: 1_000_000,
  droppedGroups: 0,
  queuedBytes: 0,
} as const;

/** What it has applied, over what its own environment and the defaults say: a device that reported otherwise would be mended by the server. */
function inForce(applied: Pick<Desired, 'levels'> | null): Report['settings'] {
  const settings: Report['settings'] = {
    AV_STREAM_URL: { value: 'rtmp://elsewhere.example.org/live', level: 'environment' },
    AV_VIDEO_WIDTH: { value: 1280, level: 'default' },
    AV_VIDEO_HEIGHT: { value: 720, level: 'default' },
    AV_VIDEO_BITRATE: { value: 2500, level: 'default' },
  };
  for (const level of ['fleet', 'group', 'device'] as const) {
    for (const [key, value] of Object.entries(applied?.levels[level] ?? {})) settings[key] = { value, level };
  }
  return settings;
}

/** It streams to another relay: the server's own has nothing to do here, and its watchdog nothing to mend. */
function report(applied: Pick<Desired, 'revision' | 'levels'> | null): Report {
  return {
    inventory: {
      board: { id: 'rpi-4', name: 'Raspberry Pi 4 Model B', architecture: 'arm64' },
      cameras: [{ id: 'usb-046d-0825', name: 'C270', driver: 'uvcvideo', path: '/dev/video0', nativeH264: false }],
      microphones: [{ id: 'hw-1', name: 'C270', alsaDevice: 'hw:1,0' }],
      encoders: ['v4l2h264enc', 'x264enc'],
    },
    settings: inForce(applied),
    source: { kind: 'test', id: 'test', label: 'Test picture' },
    encoder: 'v4l2h264enc',
    media,
    outputs: [output],
    conditions: [],
    appliedRevision: applied?.revision ?? 0,
    capabilities: ['restart-pipeline', 'restart-media-host'],
  };
}

export function health(): Health {
  const framesPerSecond = 29 + Math.random() * 2;
  return {
    media,
    figures: { framesPerSecond, videoBitrateKbps: 2500, audioBitrateKbps: 128, framesTotal: 100_000, width: 1280, height: 720 },
    outputs: [output],
    conditions: [],
    board: {
      uptimeS: 100_000,
      loadAverage1m: Math.random(),
      memoryTotalBytes: 4e9,
      memoryAvailableBytes: 3e9,
      agentRssBytes: 6e7,
      mediaHostRssBytes: 8e7,
      diskTotalBytes: 3e10,
      diskFreeBytes: 2e10,
      temperatureC: 50 + Math.random() * 5,
      wifiSignalDbm: -60,
    },
  };
}
