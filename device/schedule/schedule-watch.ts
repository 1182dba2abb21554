/**
 * Keeps what runs, and what people are told of it, at what the schedules say. The wall clock and the machine's own time zone are
 * read anew at least twice a minute, because they may be set at any moment; the network plays no part.
 *
 * INVARIANT: what was let out by a clock that was right is kept on disk, so that a device that starts without the time goes
 * on as it was.
 */
import { Type } from 'typebox';
import type { Clock } from '#device/media/clock.ts';
import type { Time } from '#device/schedule/outlets.ts';
import {
  decideOutlets,
  isSameDecision,
  isSameOutlets,
  type Moment,
  type Outlets,
  type ScheduleDecision,
  unknownOutlets,
} from '#device/schedule/outlets.ts';
import type { ResolvedSettings } from '#device/settings/levels.ts';
import { KeptValue, type KeptValueOptions } from '#device/state/kept-value.ts';
import { stateFile } from '#device/state/state-directory.ts';

const lookIntervalMs = 30_000;
/** A change that is due in less is not asked for more often than this. */
const shortestWaitMs = 100;

const heldFile = stateFile('schedule.json', Type.Object({ stream: Type.Boolean(), record: Type.Boolean() }), { reservedBytes: 4096 });

export type ScheduleWatchOptions = Omit<KeptValueOptions<Outlets>, 'file'> & {
  readonly clock: Clock;
  readonly time: () => Time;
  /** The machine's own time zone, by `ownTimeZone`. */
  readonly ownZone: () => string | null;
  readonly settings: () => ResolvedSettings;
  /** What the plan that runs was made for. */
  readonly running: () => ScheduleDecision;
  /** What is let out now: said at each look. */
  readonly onLook: (allowed: Outlets) => void;
  /** The plan must be made anew. */
  readonly onChange: () => void;
};

export class ScheduleWatch {
  readonly #options: ScheduleWatchOptions;
  readonly #kept: KeptValue<Outlets>;
  #held: Outlets = unknownOutlets;
  #isKept = false;
  #cancel: (() => void) | null = null;
  #isStopped = false;

  constructor(options: ScheduleWatchOptions) {
    this.#options = options;
    this.#kept = new KeptValue({ ...options, file: heldFile });
  }

  /** Reads what was let out last. Nothing is watched before `start`. */
  async load(): Promise<void> {
    const kept = await this.#kept.load();
    this.#isKept = kept !== null;
    this.#held = kept ?? unknownOutlets;
  }

  start(): void {
    if (!this.#isStopped) this.look();
  }

  /** What the disk refused is written once more. May be called twice. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    this.#cancel = null;
    return this.#kept.stop();
  }

  moment(): Moment {
    const { time, ownZone } = this.#options;
    return { ...time(), held: this.#held, ownZone: ownZone() };
  }

  /** Also to be called when the settings have changed. */
  look(): void {
    if (this.#isStopped) return;
    const { settings, running, onLook, onChange } = this.#options;
    const moment = this.moment();
    const decision = decideOutlets(settings(), moment);
    const { allowed, isClockSet, changesAtMs } = decision;
    if (isClockSet && !(this.#isKept && isSameOutlets(allowed, this.#held))) this.#keep(allowed);
    onLook(allowed);
    if (!isSameDecision(decision, running())) onChange();
    const untilChangeMs = changesAtMs === null ? lookIntervalMs : changesAtMs - moment.nowMs;
    this.#cancel?.();
    this.#cancel = this.#options.clock.schedule(() => this.look(), Math.max(shortestWaitMs, Math.min(lookIntervalMs, untilChangeMs)));
  }

  #keep(allowed: Outlets): void {
    this.#held = allowed;
    this.#isKept = true;
    void this.#kept.keep({ ...allowed });
  }
}
