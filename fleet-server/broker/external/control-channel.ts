/**
 * Commands to mosquitto's dynamic security, and its answers: one request at a time on the control topic. Every server that is connected
 * there hears every answer, so each command carries a mark of its own.
 */
import { randomUUID } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BrokerAddress } from '#fleet-server/broker/external/broker-address.ts';
import { BrokerLink } from '#fleet-server/broker/external/broker-link.ts';
import type { DynamicSecurityCommand } from '#fleet-server/broker/external/dynamic-security-plan.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { Log } from '#fleet-server/log.ts';

const controlTopic = '$CONTROL/dynamic-security/v1';
const answerTopic = `${controlTopic}/response`;
/** mosquitto writes its whole file for each command: thousands of clients make it slow. */
const answerMs = 15_000;
const maxAnswerBytes = 1_048_576;

const Answer = Type.Object({
  command: Type.String(),
  correlationData: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
  data: Type.Optional(Type.Unknown()),
});
export type Answer = Static<typeof Answer>;
const answersCheck = Compile(Type.Object({ responses: Type.Array(Answer) }));

export type ControlChannelOptions = {
  readonly address: BrokerAddress;
  readonly caFile: string | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The link is open. */
  onOpen(): void;
};

export class ControlChannel {
  readonly #options: ControlChannelOptions;
  readonly #link: BrokerLink;
  readonly #waiting = new Map<string, (answers: readonly Answer[]) => void>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ControlChannelOptions) {
    const { address, caFile, clock, random, log } = options;
    this.#options = options;
    this.#link = new BrokerLink({
      ...{ address, caFile, clock, random, log },
      maxPacketBytes: maxAnswerBytes,
      clientId: `makespacelive-control-${randomUUID()}`,
      subscriptions: [answerTopic],
      onOpen: () => options.onOpen(),
      onMessage: (_topic, payload, ready) => {
        this.#onAnswer(payload);
        ready();
      },
      onLost: () => undefined,
    });
  }

  start(): void {
    this.#link.start();
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }

  problem(): string | null {
    return this.#link.problem();
  }

  /** The answers, in the order of the commands. Rejects with a FleetError when the broker cannot be asked. */
  ask(commands: readonly DynamicSecurityCommand[]): Promise<readonly Answer[]> {
    const turn = this.#last.then(() => this.#ask(commands));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #ask(commands: readonly DynamicSecurityCommand[]): Promise<readonly Answer[]> {
    const mark = randomUUID();
    let cancel = (): void => undefined;
    const answered = new Promise<readonly Answer[] | null>((resolve) => {
      this.#waiting.set(mark, resolve);
      cancel = this.#options.clock.after(answerMs, () => resolve(null));
    });
    try {
      const payload = JSON.stringify({ commands: commands.map((command) => ({ ...command, correlationData: mark })) });
      if (!(await this.#link.publish(controlTopic, payload))) throw cannotBeAsked(this.#link.problem());
      const answers = await answered;
      if (answers === null) throw cannotBeAsked(null);
      return answers;
    } finally {
      cancel();
      this.#waiting.delete(mark);
    }
  }

  #onAnswer(payload: Buffer): void {
    let value: unknown;
    try {
      value = JSON.parse(payload.toString('utf8'));
    } catch {
      // Whoever waits for an answer that can be read gives up after its time.
      return;
    }
    if (!answersCheck.Check(value)) return;
    const { responses } = value;
    const mark = responses[0]?.correlationData;
    if (mark !== undefined) this.#waiting.get(mark)?.(responses);
  }
}

function cannotBeAsked(problem: string | null): FleetError {
  return new FleetError(
    'broker-unavailable',
    problem ?? 'The MQTT broker does not answer on its control topic ($CONTROL/dynamic-security/v1).',
  );
}
