/**
 * What every output over a network has in common: tries for as long as it is wanted, with a back-off that ends early where there
 * is reason to, and says how it goes.
 */
import type { Clock } from '#device/media/clock.ts';
import {
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  reconnectPolicy,
  reportedState,
  transition,
} from '#device/media-host/connection-state.ts';
import { type ProbeTarget, ReachabilityProbe } from '#device/media-host/reachability-probe.ts';
import { isAway, isRefusal } from '#device/media-host/rtmp-error.ts';
import type { OutputState } from '#protocol/media.ts';

/** A connection that has not come about after so long may still wait for an answer to a packet that went nowhere. */
const freshAttemptMs = 1_500;
/** Many devices that had lost the same network must not come back in the same moment. */
const networkSpreadMs = 500;

export type ConnectionLifeOptions = {
  readonly clock: Clock;
  readonly random: () => number;
  /** For the history; without a secret. */
  readonly target: string;
  /** Null where the address says nothing that could be asked. */
  readonly probeTarget: ProbeTarget | null;
  readonly onEvent: (event: string, detail: string) => void;
  readonly onState: () => void;
  /** A connection is to be opened now or as soon as there is something to send; `opened` tells when. */
  readonly open: () => void;
  readonly close: () => void;
  /** The target takes the stream from now on. */
  readonly onStreaming: () => void;
  /** It streamed and does not any more; the connection is still to be closed. */
  readonly onLost: () => void;
};

export class ConnectionLife {
  readonly #options: ConnectionLifeOptions;
  readonly #probe: ReachabilityProbe;
  #state: ConnectionState = { kind: 'stopped' };
  #openedAtMs: number | null = null;
  /** The attempt under way is the second one of its turn. */
  #isSecondTry = false;
  #connections = 0;
  #cancelRetry: () => void = () => undefined;
  #cancelReturn: () => void = () => undefined;

  constructor(options: ConnectionLifeOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.#probe = new ReachabilityProbe({ clock, random, onReachable: () => this.#tryNow() });
  }

  get kind(): ConnectionState['kind'] {
    return this.#state.kind;
  }

  /** That were made since the start. */
  get connections(): number {
    return this.#connections;
  }

  /** Since when the connection is being opened; null while it waits for something to send. */
  get openedAtMs(): number | null {
    return this.#openedAtMs;
  }

  start(): void {
    this.#on({ kind: 'start' });
  }

  /** May be called twice. */
  stop(): void {
    this.#cancelRetry();
    this.#cancelReturn();
    this.#on({ kind: 'stop' });
  }

  opened(): void {
    this.#openedAtMs = this.#options.clock.monotonicMs();
  }

  connected(): void {
    this.#on({ kind: 'connected' });
  }

  failed(reason: string): void {
    this.#on({ kind: 'failed', reason });
  }

  onNetworkReturn(): void {
    const { clock, random } = this.#options;
    this.#cancelReturn();
    this.#cancelReturn = clock.schedule(() => {
      if (this.#state.kind !== 'waiting' || !isRefusal(this.#state.lastError)) this.#tryNow();
    }, networkSpreadMs * random());
  }

  outputState(): OutputState {
    return reportedState(this.#state, this.#options.clock);
  }

  /** The server can be reached, as far as is known: neither a wait nor an attempt that hangs is to be sat out. */
  #tryNow(): void {
    const { clock, open } = this.#options;
    if (this.#state.kind === 'waiting') this.#on({ kind: 'retry-due' });
    // Once an attempt: a server that takes connections and then does nothing is not to be pestered.
    if (this.#state.kind !== 'connecting' || this.#openedAtMs === null || this.#isSecondTry) return;
    if (clock.monotonicMs() - this.#openedAtMs < freshAttemptMs) return;
    this.#isSecondTry = true;
    this.#openedAtMs = null;
    open();
  }

  #on(event: ConnectionEvent): void {
    const former = this.#state;
    const { clock, random, onLost, onState, onStreaming } = this.#options;
    const { state, effects } = transition(former, event, { nowMs: clock.monotonicMs(), random: random(), policy: reconnectPolicy });
    if (former.kind === 'streaming' && state.kind !== 'streaming') onLost();
    this.#state = state;
    this.#steerProbe(state);
    for (const effect of effects) this.#perform(effect);
    if (former.kind !== 'streaming' && state.kind === 'streaming') {
      this.#connections += 1;
      onStreaming();
    }
    if (state !== former) onState();
  }

  #steerProbe(state: ConnectionState): void {
    const lastError = state.kind === 'waiting' || state.kind === 'connecting' ? state.lastError : null;
    if (lastError === null || !isAway(lastError)) this.#probe.stop();
    else if (this.#options.probeTarget !== null) this.#probe.start(this.#options.probeTarget);
  }

  #perform(effect: ConnectionEffect): void {
    const { clock, close, onEvent, open, target } = this.#options;
    switch (effect.kind) {
      case 'open':
        this.#cancelRetry();
        this.#isSecondTry = false;
        this.#openedAtMs = null;
        open();
        return;
      case 'close':
        this.#openedAtMs = null;
        close();
        return;
      case 'wait':
        this.#cancelRetry = clock.schedule(() => this.#on({ kind: 'retry-due' }), effect.delayMs);
        return;
      case 'say':
        onEvent(effect.event, [target, effect.detail].filter((part) => part !== '').join(': '));
        return;
      default:
        effect satisfies never;
    }
  }
}

/** Host and port of an address; null for one that is none. */
export function probeTargetOf(location: string, usualPorts: Readonly<Record<string, number>>): ProbeTarget | null {
  if (!URL.canParse(location)) return null;
  const { hostname, port, protocol } = new URL(location);
  const number = port === '' ? usualPorts[protocol] : Number(port);
  return hostname === '' || number === undefined ? null : { host: hostname.replace(/^\[|\]$/g, ''), port: number };
}
