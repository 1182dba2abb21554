/** The agent's side of the media host: adopts or starts it, gives it plans, replaces it when it dies or falls silent. */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';

export type ApplyOutcome = { readonly kind: 'applied' } | { readonly kind: 'failed'; readonly reason: string };

export type MediaEvent = { readonly event: string; readonly detail: string };

export type SupervisorLog = {
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
};

export type MediaHostSupervisorOptions = {
  /** An existing directory of mode 0700: `media-host.sock` and `media-host.pid` live there. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly log: SupervisorLog;
  /** For tests; the default spawns `device/media-host/main.ts` with this process's own Node. */
  readonly spawnHost?: (stateDirectory: string) => ChildProcess;
};

export class MediaHostSupervisor {
  readonly #options: MediaHostSupervisorOptions;

  constructor(options: MediaHostSupervisorOptions) {
    this.#options = options;
  }

  /** Adopts a living host of the state directory, or spawns one. Resolves when a host has said its welcome. */
  async start(): Promise<void> {
    throw new Error(`not built yet: ${this.#options.stateDirectory}`);
  }

  /**
   * Makes the plan run; only what differs is restarted. Resolves when the new capture gives frames, or with why not (the
   * host is back on the former plan then). Never rejects; a later call supersedes one that still waits.
   */
  async apply(_plan: PipelinePlan): Promise<ApplyOutcome> {
    return { kind: 'failed', reason: 'not built yet' };
  }

  /** A new capture from the same plan; outputs stay connected. */
  async restartCapture(): Promise<ApplyOutcome> {
    return { kind: 'failed', reason: 'not built yet' };
  }

  /** A new host process with the same plan. Resolves when its capture gives frames, or with why not. */
  async restartHost(): Promise<ApplyOutcome> {
    return { kind: 'failed', reason: 'not built yet' };
  }

  /** The last status heard; null while no host is connected. */
  status(): MediaStatus | null {
    return null;
  }

  /** What the connected host runs; null before the first apply or while no host is connected. */
  runningPlan(): PipelinePlan | null {
    return null;
  }

  /** Process id of the connected host. */
  processId(): number | null {
    return null;
  }

  gstreamerVersion(): string | null {
    return null;
  }

  /** Called with each status (each second and on change) and with null when the host is lost. Returns the unsubscriber. */
  onStatus(_listener: (status: MediaStatus | null) => void): () => void {
    return () => undefined;
  }

  onPreview(_listener: (jpeg: Buffer) => void): () => void {
    return () => undefined;
  }

  /** Happenings for the device's history: those of the host and the supervisor's own (host lost, host back). */
  onEvent(_listener: (event: MediaEvent) => void): () => void {
    return () => undefined;
  }

  /** Shuts the host down (asks, waits a bounded time, kills) and resolves when it is gone. May be called twice. */
  async stop(): Promise<void> {}
}
