/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), for whatever is told as it happens.
 *
 * INVARIANTS
 * - A client that does not read is cut off once `maxBufferedBytes` wait for it: it comes back by itself and goes on from the last id that it has.
 * - One reader cannot take the places of all.
 * - With each heartbeat it is asked again whether the client may go on; a stream ends with its session, and when the server stops.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';

export type EventStreamsOptions = {
  readonly clock: Clock;
  readonly maxConnections: number;
  /** Of one reader. */
  readonly maxOfOne: number;
  readonly maxBufferedBytes: number;
};

export type EventSource = {
  /** Who reads: a person or a program. Null: another fleet server, for somebody whom it counts. */
  readonly reader: string | null;
  /** Begins to send; the answer ends it. */
  begin(send: (text: string) => void, close: () => void): () => void;
  mayGoOn(): boolean | Promise<boolean>;
};

const heartbeatMs = 15_000;
/** How long a browser waits before it connects again. */
const retryMs = 1000;

export class EventStreams {
  readonly #options: EventStreamsOptions;
  /** How each is closed, and who reads it. */
  readonly #open = new Map<() => void, string | null>();

  constructor(app: FastifyInstance, options: EventStreamsOptions) {
    this.#options = options;
    app.addHook('preClose', async () => {
      for (const close of [...this.#open.keys()]) close();
    });
  }

  serve(reply: FastifyReply, source: EventSource): void {
    const { clock, maxConnections, maxOfOne, maxBufferedBytes } = this.#options;
    const { reader } = source;
    if (this.#open.size >= maxConnections) throw new FleetError('too-busy', `Expected at most ${maxConnections} live connections.`);
    const own = reader === null ? 0 : [...this.#open.values()].filter((other) => other === reader).length;
    if (own >= maxOfOne) {
      throw new FleetError('too-busy', `Expected at most ${maxOfOne} live connections of ${reader}, got one more: close other pages.`);
    }
    reply.hijack();
    const response = reply.raw;
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) response.setHeader(name, value);
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx in front of us would otherwise keep events back.
      'x-accel-buffering': 'no',
    });
    const send = (text: string): void => {
      if (response.destroyed) return;
      response.write(text);
      if (response.writableLength > maxBufferedBytes) close();
    };
    let end = (): void => {};
    const stopHeartbeat = clock.every(heartbeatMs, () => {
      Promise.resolve(source.mayGoOn())
        .then((may) => (may ? send(': still here\n\n') : close()))
        .catch(() => close());
    });
    const close = (): void => {
      end();
      stopHeartbeat();
      this.#open.delete(close);
      response.destroy();
    };
    this.#open.set(close, reader);
    response.on('close', close);
    send(`retry: ${retryMs}\n: connected\n\n`);
    end = source.begin(send, close);
    // It may have been closed while it began.
    if (response.destroyed) end();
  }
}
