/**
 * The time by which hours go. A board without a battery starts with 1970 or, on Raspberry Pi OS, with the time at which it was last
 * on (systemd-timesyncd.service(8), fake-hwclock(8)), which looks like any other: where the machine can tell, its clock counts only
 * once something has shown that it is right. That is a time server, a real-time clock, the fleet server's time, or that it was set.
 *
 * INVARIANTS
 * - What was shown once holds until the machine boots anew, over restarts of the agent: the kernel's own word is lost after some
 *   hours without network.
 * - Where the machine cannot tell (a container), its clock counts as it stands.
 */
import { Type } from 'typebox';
import { isClockWrong } from '#device/health/board-conditions.ts';
import type { ClockOffset } from '#device/health/fleet-clock.ts';
import type { Clock } from '#device/media/clock.ts';
import { isClockSet, type Time } from '#device/schedule/outlets.ts';
import { BootMemory, type BootMemoryOptions } from '#device/state/boot-memory.ts';
import { stateFile } from '#device/state/state-directory.ts';

const lookIntervalMs = 30_000;
/** A slow card may hold the agent up between the readings of both clocks, and a clock that is off by less is as good as right. */
const setFromMs = 10_000;

const Proof = Type.Object({ bootId: Type.String({ maxLength: 64 }), isRight: Type.Boolean() });
const file = stateFile('clock.json', Proof);

export type TimeOfDayOptions = BootMemoryOptions & {
  readonly clock: Clock;
  /** By `askMachineClock`. */
  readonly askMachine: () => Promise<boolean | null>;
  /** Of this clock against the fleet server's; null: not measured. */
  readonly fleetOffset: () => ClockOffset | null;
  /** The machine has said something new. */
  readonly onChange: () => void;
};

export class TimeOfDay {
  readonly #options: TimeOfDayOptions;
  readonly #proof: BootMemory<boolean, { readonly bootId: string; readonly isRight: boolean }>;
  readonly #aheadMs: number;
  #machineSays: boolean | null = null;
  #cancel: (() => void) | null = null;
  #isStopped = false;

  constructor(options: TimeOfDayOptions) {
    this.#options = options;
    this.#aheadMs = this.#ahead();
    const kept = {
      file,
      pack: (bootId: string, isRight: boolean) => ({ bootId, isRight }),
      unpack: ({ isRight }: { readonly isRight: boolean }) => isRight,
      words: { what: 'that the clock is right', consequence: 'an agent that is started again waits until that is shown anew' },
    };
    this.#proof = new BootMemory(kept, false, options);
  }

  async load(bootId: string): Promise<void> {
    await this.#proof.load(bootId);
    await this.#ask();
  }

  start(): void {
    if (this.#isStopped || this.#proof.value()) return;
    this.#cancel = this.#options.clock.schedule(() => void this.#look(), lookIntervalMs);
  }

  /** May be called twice. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  /** Notes what shows at this moment that the clock is right. */
  now(): Time {
    const nowMs = this.#options.clock.nowMs();
    const offset = this.#options.fleetOffset();
    const wasSet = Math.abs(this.#ahead() - this.#aheadMs) >= setFromMs;
    const isFleetsTime = offset !== null && !isClockWrong(offset);
    if (isClockSet(nowMs) && (wasSet || isFleetsTime || this.#machineSays === true)) this.#proof.keep(true);
    if (this.#proof.value() || this.#machineSays === null) return { nowMs, isTimeKnown: isClockSet(nowMs) };
    // A network that lets no time server through: better the fleet's time than none.
    return offset === null ? { nowMs, isTimeKnown: false } : { nowMs: nowMs - offset.offsetMs, isTimeKnown: true };
  }

  async #look(): Promise<void> {
    const before = this.#machineSays;
    await this.#ask();
    if (this.#isStopped) return;
    if (this.#machineSays !== before) this.#options.onChange();
    this.start();
  }

  /** A machine that has told once can tell: no answer is no new word. */
  async #ask(): Promise<void> {
    if (this.#proof.value()) return;
    this.#machineSays = (await this.#options.askMachine()) ?? this.#machineSays;
  }

  #ahead(): number {
    const { clock } = this.#options;
    return clock.nowMs() - clock.monotonicMs();
  }
}
