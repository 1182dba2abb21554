/** What the broker needs of the rest of the fleet server, and what it offers: types only. */
import type { HistogramFigures } from '#fleet-server/metrics/histogram.ts';
import type { DownwardBody, DownwardName, ProtocolProblem, UpwardEnvelope, UpwardName } from '#protocol/envelope.ts';

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
  /** Whether the credential is this device's. Called for each connection: it must be quick, and constant in time. */
  authenticate(deviceId: string, credential: string): boolean;
  handleUpward(message: UpwardMessage): void | Promise<void>;
  onPreview(deviceId: string, jpeg: Buffer): void | Promise<void>;
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
  /** Rejects with a RangeError when the message is larger than its topic may carry (protocol/topics.ts). */
  publish<N extends DownwardName>(deviceId: string, name: N, body: DownwardBody<N>): Promise<PublishOutcome>;
  /** Closes the connection of a device, for one that was revoked. */
  disconnect(deviceId: string): void;
  isConnected(deviceId: string): boolean;
  /** The TCP port that is really listened on; 0 before the start. */
  port(): number;
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
