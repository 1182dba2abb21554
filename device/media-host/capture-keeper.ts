/** Keeps one capture on air: restarts it with back-off for as long as it is wanted, and says in what state it is. */
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';
import { Capture } from '#device/media-host/capture.ts';
import type { Tag } from '#device/media-host/flv.ts';
import type { CapturePlan, LiveProperty } from '#device/plan/pipeline-plan.ts';
import type { MediaState } from '#protocol/media.ts';

export type CaptureKeeperHandlers = {
  /** Tags of a new run follow, with a time line of their own. */
  readonly onStart: () => void;
  readonly onTag: (tag: Tag) => void;
  readonly onPreview: (jpeg: Buffer) => void;
  readonly onState: (state: MediaState) => void;
};

/** A capture that ran this long was not at fault when it stops: the waits begin anew. */
const provenAfterMs = 30_000;
const restartPolicy: BackOffPolicy = { firstMs: 500, factor: 2, capMs: 10_000, jitter: 0.3 };
const longestReason = 500;

type Outcome = (problem: string | null) => void;

export class CaptureKeeper {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #handlers: CaptureKeeperHandlers;
  #state: MediaState;
  #capture: Capture | null = null;
  #live: readonly LiveProperty[] = [];
  #attempt = 0;
  #runningSinceMs: number | null = null;
  #cancelRestart: () => void = () => undefined;
  #onOutcome: Outcome | null = null;

  constructor(clock: Clock, random: () => number, handlers: CaptureKeeperHandlers) {
    this.#clock = clock;
    this.#random = random;
    this.#handlers = handlers;
    this.#state = { kind: 'stopped', since: this.#timestamp() };
  }

  get state(): MediaState {
    return this.#state;
  }

  /**
   * The old capture is stopped and the new one started: devices are exclusive. Resolves with null at the first keyframe, or
   * with why there is none; the keeper goes on trying until it is told otherwise.
   */
  run(plan: CapturePlan, live: readonly LiveProperty[]): Promise<string | null> {
    this.#stopCapture('another capture was asked for');
    if (this.#capture?.description !== plan.description) this.#capture = this.#newCapture(plan.description);
    this.#live = live;
    this.#attempt = 0;
    this.#enter({ kind: 'starting', since: this.#timestamp() });
    return new Promise((resolve) => {
      this.#onOutcome = resolve;
      this.#startCapture();
    });
  }

  setLive(live: readonly LiveProperty[]): string | null {
    const problem = this.#capture?.setLive(live) ?? null;
    if (problem === null) this.#live = live;
    return problem;
  }

  /** May be called twice. */
  stop(): void {
    this.#stopCapture('stopped');
    if (this.#state.kind !== 'stopped') this.#enter({ kind: 'stopped', since: this.#timestamp() });
  }

  #newCapture(description: string): Capture {
    const capture: Capture = new Capture(description, this.#clock, {
      onTag: (tag) => {
        if (tag.isKeyframe && this.#runningSinceMs === null) this.#onRunning();
        this.#handlers.onTag(tag);
      },
      onPreview: this.#handlers.onPreview,
      onFailed: (reason) => this.#onFailed(reason),
    });
    return capture;
  }

  #startCapture(): void {
    this.#handlers.onStart();
    const problem = this.#capture?.start(this.#live) ?? null;
    if (problem === null) return;
    this.#onFailed(problem);
    // What cannot be parsed now cannot be parsed later by this process, and each trial leaks.
    this.#cancelRestart();
  }

  #stopCapture(why: string): void {
    this.#cancelRestart();
    this.#capture?.stop();
    this.#runningSinceMs = null;
    this.#settle(why);
  }

  #onRunning(): void {
    this.#runningSinceMs = this.#clock.monotonicMs();
    this.#enter({ kind: 'running', since: this.#timestamp() });
    this.#settle(null);
  }

  #onFailed(reason: string): void {
    const ranMs = this.#runningSinceMs === null ? 0 : this.#clock.monotonicMs() - this.#runningSinceMs;
    this.#attempt = ranMs >= provenAfterMs ? 1 : this.#attempt + 1;
    this.#runningSinceMs = null;
    const said = reason.slice(0, longestReason);
    // It stays failed until frames come: a state that flickers with each attempt tells nobody anything.
    const since = this.#state.kind === 'failed' && this.#state.reason === said ? this.#state.since : this.#timestamp();
    this.#enter({ kind: 'failed', since, reason: said });
    this.#cancelRestart = this.#clock.schedule(() => this.#startCapture(), backOffDelay(restartPolicy, this.#attempt, this.#random()));
    this.#settle(said);
  }

  #settle(problem: string | null): void {
    const settle = this.#onOutcome;
    this.#onOutcome = null;
    settle?.(problem);
  }

  #enter(state: MediaState): void {
    this.#state = state;
    this.#handlers.onState(state);
  }

  #timestamp(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }
}
