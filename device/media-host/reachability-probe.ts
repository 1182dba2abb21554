/**
 * Asks about once a second whether a server that was away takes connections again: connects, hangs up, nothing more. So a
 * back-off may be long and the stream is back all the same within two seconds of the server's return. A network that swallows
 * what is sent takes each of them the whole second: the next one begins at once then.
 */
import { lookup } from 'node:dns';
import { connect, type LookupFunction } from 'node:net';
import type { Clock } from '#device/media/clock.ts';
import { keepOwnSocket } from '#device/media-host/own-sockets.ts';

const intervalMs = 1000;
/** Shares of the interval that are random: many devices that lost the same server must not ask, and not return, in step. */
const intervalJitter = 0.3;
const returnSpreadMs = 300;
const connectBoundMs = 1000;

export type ProbeTarget = { readonly host: string; readonly port: number };

export type ProbeOptions = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly onReachable: () => void;
  /** For tests; the default is TCP's. */
  readonly dial?: (target: ProbeTarget, onResult: (isReached: boolean) => void) => () => void;
};

export class ReachabilityProbe {
  readonly #options: ProbeOptions;
  #target: ProbeTarget | null = null;
  #cancel: () => void = () => undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** Nothing where it asks already. Tells each success, until `stop`. */
  start(target: ProbeTarget): void {
    if (this.#target !== null) return;
    this.#target = target;
    this.#scheduleDial(0);
  }

  /** May be called twice. */
  stop(): void {
    this.#target = null;
    this.#cancel();
  }

  /** `tookMs`: what the one before did. */
  #scheduleDial(tookMs: number): void {
    const { clock, random } = this.#options;
    this.#cancel = clock.schedule(() => this.#dial(), Math.max(0, intervalMs * (1 - intervalJitter * random()) - tookMs));
  }

  #dial(): void {
    const target = this.#target;
    if (target === null) return;
    const { clock, random, onReachable, dial = dialTcp } = this.#options;
    const begunAtMs = clock.monotonicMs();
    let isOver = false;
    const finish = (isReached: boolean): void => {
      if (isOver) return;
      isOver = true;
      cancelBound();
      hangUp();
      if (this.#target !== target) return;
      this.#scheduleDial(clock.monotonicMs() - begunAtMs);
      if (isReached) this.#cancel = cancelBoth(this.#cancel, clock.schedule(onReachable, returnSpreadMs * random()));
    };
    let hangUp: () => void = () => undefined;
    const cancelBound = clock.schedule(() => finish(false), connectBoundMs);
    this.#cancel = () => finish(false);
    hangUp = dial(target, finish);
    if (isOver) hangUp();
  }
}

function cancelBoth(one: () => void, other: () => void): () => void {
  return () => {
    one();
    other();
  };
}

/** A look-up blocks a thread of the pool, for half a minute where no name server answers: never two for one name. */
const lookingUp = new Set<string>();

const lookUpOnce: LookupFunction = (host, options, callback) => {
  lookingUp.add(host);
  lookup(host, options, (...answer) => {
    lookingUp.delete(host);
    callback(...answer);
  });
};

function dialTcp({ host, port }: ProbeTarget, onResult: (isReached: boolean) => void): () => void {
  if (lookingUp.has(host)) {
    onResult(false);
    return () => undefined;
  }
  const socket = connect({ host, port, lookup: lookUpOnce });
  keepOwnSocket(socket);
  socket.once('connect', () => onResult(true));
  socket.on('error', () => onResult(false));
  return () => void socket.destroy();
}
