/** A media host of its own in a directory of its own, to try things out in the very process that would stream them. */
import { rm } from 'node:fs/promises';
import type { Clock } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import { type ApplyOutcome, MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import type { CapturePlan, OutputPlan } from '#device/plan/pipeline-plan.ts';
import { makePassingDirectory } from '#device/state/runtime-directory.ts';
import { wait } from '#device/uplink/wait.ts';
import type { OutputState } from '#protocol/media.ts';

const startBoundMs = 20_000;
const askAgainMs = 100;

export type TriedCapture = {
  readonly capture: CapturePlan;
  readonly live: readonly { element: string; property: string; value: number }[];
};

export class BenchHost {
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #supervisor: MediaHostSupervisor;
  readonly #lines: string[] = [];

  private constructor(clock: Clock, directory: string) {
    this.#clock = clock;
    this.#directory = directory;
    const keep = (line: string): void => {
      this.#lines.splice(0, this.#lines.length, line);
    };
    this.#supervisor = new MediaHostSupervisor({ stateDirectory: directory, clock, log: { info: keep, warn: keep } });
  }

  /** Rejects when there is no place for its directory. */
  static async create(clock: Clock): Promise<BenchHost> {
    return new BenchHost(clock, await makePassingDirectory('makespacelive-doctor'));
  }

  /** Null when it runs, or why not. */
  async start(): Promise<string | null> {
    const bound = new AbortController();
    const late = wait(this.#clock, startBoundMs, bound.signal).then(() => 'late' as const);
    const first = await Promise.race([this.#supervisor.start(), late]);
    bound.abort();
    return first === 'late' ? (this.#lines.at(-1) ?? 'it gives no answer') : null;
  }

  gstreamerVersion(): string | null {
    return this.#supervisor.gstreamerVersion();
  }

  run({ capture, live }: TriedCapture, outputs: readonly OutputPlan[] = []): Promise<ApplyOutcome> {
    return this.#supervisor.apply({ capture, live: [...live], outputs: [...outputs] });
  }

  /** Frames a second of the last whole second, after the given time: a capture that has just begun is uneven. */
  async frameRate(afterMs: number): Promise<number> {
    await this.pause(afterMs);
    return this.status()?.figures?.framesPerSecond ?? 0;
  }

  /** The first state of the output that is decided, or the last one seen when the time is over. */
  async outputDecision(id: string, boundMs: number): Promise<OutputState> {
    const deadlineMs = this.#clock.monotonicMs() + boundMs;
    for (;;) {
      const state = this.outputState(id);
      if (state.kind === 'streaming' || state.kind === 'waiting' || this.#clock.monotonicMs() > deadlineMs) return state;
      await this.pause(askAgainMs);
    }
  }

  outputState(id: string): OutputState {
    return this.status()?.outputs.find((output) => output.id === id)?.state ?? { kind: 'stopped' };
  }

  status(): MediaStatus | null {
    return this.#supervisor.status();
  }

  pause(durationMs: number): Promise<void> {
    return wait(this.#clock, durationMs, new AbortController().signal);
  }

  async stop(): Promise<void> {
    await this.#supervisor.stop();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
