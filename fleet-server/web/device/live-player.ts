/**
 * Keeps the live picture of one device playing for as long as it is wanted: opens it, watches that it moves, opens it again
 * with growing pauses when it is not there yet or breaks.
 *
 * INVARIANTS
 * - `playing` is said only while the picture moves.
 * - At most one source is open, and none after stop().
 */
import type { Playback } from '#protocol/model/device.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { type HlsSource, openHls } from './hls-source.ts';
import { isStalled, isTooFarBehind, onOwnOrigin, retryDelayMs, shouldRenew } from './playback-rules.ts';

export type PlayerState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'playing'; readonly behindS: number | null }
  | { readonly kind: 'retrying'; readonly reason: string; readonly nextTryAtMs: number };

export type LivePlayerOptions = {
  readonly video: HTMLVideoElement;
  readonly fetchPlayback: () => Promise<Playback>;
  readonly onState: (state: PlayerState) => void;
};

const watchMs = 1000;

export class LivePlayer {
  readonly #options: LivePlayerOptions;
  #source: HlsSource | null = null;
  #playback: Playback | null = null;
  #attempt = 0;
  #opening = 0;
  #isRenewing = false;
  #lastTimeS = 0;
  #lastProgressMs = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #watchTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: LivePlayerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#watchTimer = setInterval(() => this.#watch(), watchMs);
    void this.#open();
  }

  stop(): void {
    this.#opening += 1;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#watchTimer);
    this.#close();
  }

  jumpToLive(): void {
    this.#source?.jumpToLive();
  }

  async #open(): Promise<void> {
    this.#opening += 1;
    const opening = this.#opening;
    const isCurrent = (): boolean => opening === this.#opening;
    this.#options.onState({ kind: 'opening' });
    this.#lastProgressMs = Date.now();
    try {
      const playback = this.#playback ?? (await this.#options.fetchPlayback());
      if (!isCurrent()) return;
      this.#playback = playback;
      const source = await openHls(this.#options.video, this.#addressOf(playback), (reason) => {
        if (isCurrent()) this.#retry(reason);
      });
      if (!isCurrent()) {
        source.destroy();
        return;
      }
      this.#source = source;
    } catch (error) {
      if (isCurrent()) this.#retry(error instanceof Error ? error.message : String(error));
      return;
    }
    // A browser that does not let it start says so by a picture that does not move.
    this.#options.video.play().catch(() => this.#options.onState({ kind: 'opening' }));
  }

  #close(): void {
    this.#source?.destroy();
    this.#source = null;
  }

  #retry(reason: string): void {
    this.#opening += 1;
    this.#close();
    // The next try asks for a new ticket: the old one may be why it failed.
    this.#playback = null;
    const delayMs = retryDelayMs(this.#attempt, Math.random());
    this.#attempt += 1;
    this.#options.onState({ kind: 'retrying', reason, nextTryAtMs: Date.now() + delayMs });
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#open(), delayMs);
  }

  #watch(): void {
    const { video } = this.#options;
    const source = this.#source;
    if (source === null) return;
    const nowMs = Date.now();
    if (video.currentTime !== this.#lastTimeS) {
      this.#lastTimeS = video.currentTime;
      this.#lastProgressMs = nowMs;
      this.#attempt = 0;
      const behindS = source.behindS();
      if (behindS !== null && isTooFarBehind(behindS)) source.jumpToLive();
      this.#options.onState({ kind: 'playing', behindS });
    } else if (document.hidden) {
      // Browsers may stop a picture that nobody sees.
      this.#lastProgressMs = nowMs;
    } else if (isStalled(this.#lastProgressMs, nowMs)) {
      this.#retry('the picture stood still');
      return;
    } else if (video.paused) {
      video.play().catch(() => this.#options.onState({ kind: 'opening' }));
    }
    this.#renewInTime(source);
  }

  #renewInTime(source: HlsSource): void {
    if (this.#isRenewing || this.#playback === null || !shouldRenew(this.#playback.expiresAt, serverNowMs())) return;
    this.#isRenewing = true;
    this.#options
      .fetchPlayback()
      .then((playback) => {
        this.#playback = playback;
        if (source === this.#source) source.renew(this.#addressOf(playback));
      })
      // The watch asks again a second later, until the old ticket ends and the player starts anew.
      .catch(() => null)
      .finally(() => {
        this.#isRenewing = false;
      });
  }

  #addressOf(playback: Playback): string {
    return onOwnOrigin(playback.hls, window.location.origin);
  }
}
