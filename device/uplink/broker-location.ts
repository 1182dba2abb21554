/**
 * Where this device connects over MQTT: at the fleet server itself, or at a broker that the fleet server names. It asks again when what it
 * knows has turned out wrong, and not with each attempt: a whole fleet does so when a broker is started anew.
 */
import type { Log } from '#device/logging.ts';
import type { Clock } from '#device/media/clock.ts';
import type { ConnectionOutcome } from '#device/uplink/connection-request.ts';
import type { Credentials } from '#device/uplink/credentials.ts';
import type { ConnectionEnd } from '#device/uplink/mqtt-connection.ts';

export type BrokerLocationOptions = {
  readonly ask: (deviceId: string, credential: string, signal: AbortSignal) => Promise<ConnectionOutcome>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** The broker is another one than before: to be kept. */
  readonly onMoved: (credentials: Credentials) => void;
};

/** While nothing answers at the broker's address. */
const askAgainMs = 300_000;

export class BrokerLocation {
  readonly #options: BrokerLocationOptions;
  #isDue = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BrokerLocationOptions) {
    this.#options = options;
  }

  /** What the end of an attempt says of the address and of the broker's knowledge of this device. */
  note(end: ConnectionEnd, credentials: Credentials): void {
    const isElsewhere = credentials.mqttUrl !== undefined;
    const isSilent = isElsewhere && !end.wasAccepted && this.#options.clock.monotonicMs() - this.#askedAtMs >= askAgainMs;
    if (end.hasNoBroker || (isElsewhere && end.isRefused) || isSilent) this.#isDue = true;
  }

  /** Before a connection with `credential`; resolves with what to connect with. Never rejects. */
  async before(credentials: Credentials, credential: string, signal: AbortSignal): Promise<Credentials> {
    // A broker elsewhere may hold one password a client: the new one is shown before it is used.
    const isNew = credentials.mqttUrl !== undefined && credentials.former !== undefined;
    if (!this.#isDue && !isNew) return credentials;
    const { ask, clock, log, onMoved } = this.#options;
    this.#isDue = false;
    this.#askedAtMs = clock.monotonicMs();
    const outcome = await ask(credentials.deviceId, credential, signal);
    if (outcome.kind === 'unreachable') log.warn(`the fleet server was asked where to connect: ${outcome.reason}`);
    if (outcome.kind !== 'located' || (credentials.mqttUrl ?? null) === outcome.mqttUrl) return credentials;
    const { mqttUrl: _before, ...rest } = credentials;
    const moved = outcome.mqttUrl === null ? rest : { ...rest, mqttUrl: outcome.mqttUrl };
    log.info(outcome.mqttUrl === null ? 'the fleet server is its own broker again' : `the broker of the fleet is at ${outcome.mqttUrl}`);
    onMoved(moved);
    return moved;
  }
}
