/**
 * The connection on which the fleet server says what changed. It comes back by itself, with growing pauses, for as long as
 * the page is open; who listens hears of every change of its state.
 */
import { Check } from 'typebox/value';
import { Change } from '#protocol/model/change.ts';

export type ChannelState = { readonly kind: 'connecting' | 'open' | 'lost' };

export type LiveChannelOptions = {
  readonly onChange: (change: Change) => void;
  readonly onState: (state: ChannelState) => void;
  /** The server refused the connection instead of breaking it: the session may be over. */
  readonly onRefused: () => void;
};

const address = '/api/v1/changes';
const firstPauseMs = 1000;
const longestPauseMs = 10_000;

/** With up to a half more by chance, so that the browsers of a room do not come back in step. */
export function pauseMs(attempt: number, random: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10)) * (1 + random / 2);
}

export class LiveChannel {
  readonly #options: LiveChannelOptions;
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;

  constructor(options: LiveChannelOptions) {
    this.#options = options;
  }

  start(): void {
    this.#connect();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #connect(): void {
    const source = new EventSource(address);
    this.#source = source;
    source.addEventListener('open', () => {
      this.#attempt = 0;
      this.#options.onState({ kind: 'open' });
    });
    source.addEventListener('error', () => {
      this.#options.onState({ kind: 'lost' });
      if (source.readyState !== EventSource.CLOSED) return;
      source.close();
      this.#options.onRefused();
      this.#timer = setTimeout(() => this.#connect(), pauseMs(this.#attempt, Math.random()));
      this.#attempt += 1;
    });
    source.addEventListener('change', ({ data }) => {
      const change = readChange(data);
      if (change !== null) this.#options.onChange(change);
    });
  }
}

/** Null: a subject that a newer server knows and this page does not. */
export function readChange(data: unknown): Change | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    return Check(Change, value) ? value : null;
  } catch {
    return null;
  }
}
