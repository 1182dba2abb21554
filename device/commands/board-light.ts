/**
 * Blinks the light on the board, so that somebody in a room finds this one of many. The kernel's own interface:
 * /sys/class/leds/<name>/ with `trigger` (the one in force in brackets) and `brightness`.
 *
 * INVARIANT: afterwards the light does what it did before, also when the agent is stopped in between.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#device/media/clock.ts';
import { errorText } from '#device/state/state-directory.ts';
import type { ActionOutcome } from '#device/uplink/command-runner.ts';

/** Of the Raspberry Pi: newer kernels, older kernels, and the red one where that is the only one. */
const lightNames = ['ACT', 'led0', 'PWR', 'led1'] as const;
const halfBlinkMs = 250;

export type BoardLightOptions = {
  readonly clock: Clock;
  /** Of the kernel, unless a test has one of its own. */
  readonly directory?: string;
};

type Light = { readonly name: string; readonly trigger: string; readonly brightness: string; readonly full: string };

export class BoardLight {
  readonly #clock: Clock;
  readonly #directory: string;
  #hurry: () => void = () => undefined;
  #isStopping = false;
  #blinking: Promise<ActionOutcome> | null = null;

  constructor({ clock, directory = '/sys/class/leds' }: BoardLightOptions) {
    this.#clock = clock;
    this.#directory = directory;
  }

  blink(durationS: number): Promise<ActionOutcome> {
    this.#blinking ??= this.#blink(durationS).finally(() => {
      this.#blinking = null;
    });
    return this.#blinking;
  }

  /** Gives the light back at once. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#hurry();
    await this.#blinking;
  }

  async #blink(durationS: number): Promise<ActionOutcome> {
    const light = await this.#find();
    if (light === null) {
      const reason = `this board has no light that can be blinked (looked for ${lightNames.join(', ')} in ${this.#directory})`;
      return { kind: 'refused', reason };
    }
    try {
      await this.#write(light, 'trigger', 'none');
    } catch (cause) {
      const advice = 'the agent’s user must be allowed to write there (docs/operations.md, the agent as a service); a container may not';
      return { kind: 'refused', reason: `the light ${light.name} cannot be switched (${errorText(cause)}): ${advice}` };
    }
    try {
      const untilMs = this.#clock.monotonicMs() + durationS * 1000;
      for (let isOn = true; this.#clock.monotonicMs() < untilMs && !this.#isStopping; isOn = !isOn) {
        await this.#write(light, 'brightness', isOn ? light.full : '0');
        await this.#pause();
      }
    } catch (cause) {
      return { kind: 'failed', reason: `the light ${light.name} stopped taking orders (${errorText(cause)})` };
    } finally {
      await this.#restore(light);
    }
    return { kind: 'applied', detail: `the light ${light.name} blinked for ${durationS} s` };
  }

  async #find(): Promise<Light | null> {
    for (const name of lightNames) {
      const [triggers, brightness, full] = await Promise.all(
        ['trigger', 'brightness', 'max_brightness'].map((file) => readFile(join(this.#directory, name, file), 'utf8').catch(() => null)),
      );
      if (triggers == null || brightness == null) continue;
      // "none [mmc0] timer": the one in force. A list without brackets has none in force.
      const trigger = /\[([^\]]+)\]/.exec(triggers)?.[1] ?? 'none';
      return { name, trigger, brightness: brightness.trim(), full: full?.trim() || '255' };
    }
    return null;
  }

  /** Brightness first: writing it ends some triggers, and a trigger sets its own. */
  async #restore(light: Light): Promise<void> {
    await this.#write(light, 'brightness', light.brightness).catch(() => undefined);
    await this.#write(light, 'trigger', light.trigger).catch(() => undefined);
  }

  #write({ name }: Light, file: 'trigger' | 'brightness', value: string): Promise<void> {
    return writeFile(join(this.#directory, name, file), value, { flag: 'r+' });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(resolve, halfBlinkMs);
      this.#hurry = () => {
        cancel();
        resolve();
      };
    });
  }
}
