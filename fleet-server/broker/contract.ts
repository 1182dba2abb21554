/**
 * What a broker needs of the rest of the fleet server, and what it offers: types only. There are two: the one in this process (broker.ts),
 * which devices connect to, and one elsewhere (external/), of which this server is a client like they are.
 */
import type { HistogramFigures } from '#fleet-server/metrics/histogram.ts';
import type { DownwardBody, DownwardName, PictureTopic, ProtocolProblem, UpwardEnvelope, UpwardName } from '#protocol/envelope.ts';

/** One message that a device sent and that fits its schema. */
export type UpwardMessage = {
  readonly [N in UpwardName]: { readonly deviceId: string; readonly name: N; readonly envelope: UpwardEnvelope<N> };
}[UpwardName];

/** What was wrong with something that a device sent. The message never holds a value of a payload. */
export type BrokerProblem = {
  readonly code: ProtocolProblem['code'] | 'topic-refused' | 'flooding' | 'not-handled' | 'packet-refused' | 'credential-refused';
  readonly message: string;
};

/**
 * Calls arrive in the order in which a device sent its messages, one at a time a device: the next waits for the promise,
 * and so does the acknowledgement of a message with QoS 1. Nothing is called any more once `close` has begun.
 */
export type BrokerHooks = {
  /** Whether the credential is this device's. Called for each connection: it must be quick, and constant in time. Not by an external broker. */
  authenticate(deviceId: string, credential: string): boolean;
  handleUpward(message: UpwardMessage): void | Promise<void>;
  onPicture(deviceId: string, name: PictureTopic, jpeg: Buffer): void | Promise<void>;
  /**
   * 'connected' once a connection was accepted, also when it takes over from an older one (which is then not reported as
   * disconnected); 'disconnected' only when the device has no connection left.
   */
  onConnection(deviceId: string, state: 'connected' | 'disconnected', reason: ConnectionReason): void;
  /** Each problem of an authenticated device, also when the log sums them up. */
  onProblem?(deviceId: string, problem: BrokerProblem): void;
};

export type ConnectionReason = 'accepted' | 'taken-over' | 'goodbye' | 'keepalive-timeout' | 'revoked' | 'connection-lost';

/** 'offline': there was no connection, or it broke first; the hello of the next one brings everything again. */
export type PublishOutcome = 'sent' | 'offline';

export type DeviceBroker = {
  /**
   * False: a device is connected to one server, which hears all that it says in its order. True: any server hears any message, and any
   * may send to any device; order is not kept between them.
   */
  readonly isShared: boolean;
  /** Rejects with a RangeError when the message is larger than its topic may carry (protocol/topics.ts). */
  publish<N extends DownwardName>(deviceId: string, name: N, body: DownwardBody<N>): Promise<PublishOutcome>;
  /** Closes the connection of a device, for one that was revoked. */
  disconnect(deviceId: string): void;
  /** Whether it is worth the while to send it something from here. */
  isConnected(deviceId: string): boolean;
  /**
   * The device has shown this credential, and it is right: from now on it opens the broker, and no other does. Rejects with a FleetError
   * when the broker cannot be told.
   */
  admit(deviceId: string, credential: string): Promise<void>;
  /** Where devices reach it; null: at this server's own address, as WebSocket or on its MQTT port. */
  readonly deviceUrl: string | null;
  /** Why no device can be heard now, in words; null when all is well. */
  problem(): string | null;
  figures(): BrokerFigures;
};

export type BrokerFigures = {
  readonly connections: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
  readonly problems: number;
  /** From the arrival of a message to when the server has dealt with it. */
  readonly ingest: HistogramFigures;
};
