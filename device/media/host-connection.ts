/** One connection to a media host, from its welcome to its end. */
import { connect, type Socket } from 'node:net';
import type { Clock } from '#device/media/clock.ts';
import { HostMessage, type HostRequest, maxLineBytes } from '#device/media/host-protocol.ts';
import { LineReader } from '#device/media/line-reader.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { compile } from '#protocol/compile.ts';

type Welcome = Extract<HostMessage, { kind: 'welcome' }>;
type Told = Exclude<HostMessage, { kind: 'welcome' | 'result' }>;
export type RequestOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'problem'; readonly problem: string }
  /** The connection ended before the answer. */
  | { readonly kind: 'lost' }
  /** No answer came in time. */
  | { readonly kind: 'late' };
export type RequestBody =
  | { readonly kind: 'apply'; readonly plan: PipelinePlan }
  | { readonly kind: 'restart-capture' | 'picture' | 'shutdown' };

export type ConnectOutcome =
  | { readonly kind: 'connected'; readonly connection: HostConnection }
  /** Nobody listens. */
  | { readonly kind: 'nobody' }
  /** Somebody listens and says nothing that we understand. */
  | { readonly kind: 'mute' };

const hostMessage = compile('host-message', HostMessage);

export function connectToHost(path: string, clock: Clock, boundMs: number): Promise<ConnectOutcome> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let isConnected = false;
    const settle = (outcome: ConnectOutcome) => {
      cancel();
      if (outcome.kind !== 'connected') socket.destroy();
      resolve(outcome);
    };
    const cancel = clock.schedule(() => settle({ kind: isConnected ? 'mute' : 'nobody' }), boundMs);
    socket.once('connect', () => {
      isConnected = true;
    });
    const connection = new HostConnection(socket, clock);
    connection.welcomed.then((isWelcome) =>
      settle(isWelcome ? { kind: 'connected', connection } : { kind: isConnected ? 'mute' : 'nobody' }),
    );
  });
}

export class HostConnection {
  /** False when the connection ended before a welcome. */
  readonly welcomed: Promise<boolean>;
  readonly closed: Promise<void>;
  /** What the host says; unheard until somebody listens. */
  onMessage: (message: Told) => void = () => undefined;
  /** Lines heard, for whoever watches for silence. */
  linesHeard = 0;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #answers = new Map<number, (outcome: RequestOutcome) => void>();
  #welcome: Welcome | null = null;
  #settleWelcome: (isWelcome: boolean) => void = () => undefined;
  #lastId = 0;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.welcomed = new Promise((resolve) => {
      this.#settleWelcome = resolve;
    });
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    const reader = new LineReader(maxLineBytes);
    socket.on('data', (chunk) => {
      const read = reader.read(chunk);
      if (read.kind === 'too-long') socket.destroy();
      else for (const line of read.lines) this.#take(line);
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#settleWelcome(false);
      for (const settle of this.#answers.values()) settle({ kind: 'lost' });
      this.#answers.clear();
    });
  }

  /** Throws before the welcome. */
  get welcome(): Welcome {
    if (this.#welcome === null) throw new Error('expected to be asked after the welcome of the media host');
    return this.#welcome;
  }

  request(body: RequestBody, boundMs: number): Promise<RequestOutcome> {
    if (this.#socket.destroyed) return Promise.resolve({ kind: 'lost' });
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const settle = (outcome: RequestOutcome) => {
        this.#answers.delete(id);
        cancel();
        resolve(outcome);
      };
      const cancel = this.#clock.schedule(() => settle({ kind: 'late' }), boundMs);
      this.#answers.set(id, settle);
      const request: HostRequest = { ...body, id };
      this.#socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Something was asked for that has not been answered yet. */
  get isAwaited(): boolean {
    return this.#answers.size > 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(line: string): void {
    const message = parseMessage(line);
    if (message === null) return;
    this.linesHeard += 1;
    if (message.kind === 'welcome') {
      this.#welcome = message;
      this.#settleWelcome(true);
    } else if (message.kind === 'result') {
      this.#answers.get(message.id)?.(message.problem === null ? { kind: 'done' } : { kind: 'problem', problem: message.problem });
    } else {
      this.onMessage(message);
    }
  }
}

/** Null for what an older or newer host says and we do not know. */
function parseMessage(line: string): HostMessage | null {
  try {
    const value: unknown = JSON.parse(line);
    return hostMessage.Check(value) ? value : null;
  } catch {
    return null;
  }
}
