/** Hears at once that a camera or a sound card was plugged or unplugged, where the kernel tells of it; whoever polls stays the net. */
import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '#device/media/clock.ts';

export type DeviceNodeWatchOptions = {
  readonly clock: Clock;
  readonly onChange: () => void;
  /** Other roots are for tests. */
  readonly directory?: string;
};

/** Video nodes, which udev gives to our group a moment after they have come, and what comes with cameras. */
const isOfInterest = /^(?:video\d+|media\d+|v4l|v4l-subdev\d+)$/;
/** Sound cards have a directory of their own below it. */
const soundFolder = 'snd';
/**
 * inotify also tells of each writing to a node such as /dev/null. Where that is more than this a second, it is not listened to
 * for a minute: polling is cheaper.
 */
const maximumIdleEvents = 500;
const countIntervalMs = 1000;
const pauseMs = 60_000;

export class DeviceNodeWatch {
  readonly #options: DeviceNodeWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #idleEvents = 0;
  #countFromMs = 0;
  #cancelPause: () => void = () => undefined;

  constructor(options: DeviceNodeWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#open('', (name) => {
      if (name === soundFolder) this.#openSound();
      else if (!isOfInterest.test(name)) return this.#countIdle();
      this.#options.onChange();
    });
    this.#openSound();
  }

  /** May be called twice. */
  stop(): void {
    this.#cancelPause();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Anew each time that it comes: a watcher of the one before hears nothing more. */
  #openSound(): void {
    this.#close(soundFolder);
    this.#open(soundFolder, () => this.#options.onChange());
  }

  /** A directory that is not there is no fault: it comes with the first device. */
  #open(folder: string, onName: (name: string) => void): void {
    const { directory = '/dev' } = this.#options;
    try {
      const watcher = watch(`${directory}/${folder}`, { persistent: false }, (_, name) => onName(name ?? ''));
      watcher.on('error', () => this.#close(folder));
      this.#watchers.set(folder, watcher);
    } catch {
      this.#watchers.delete(folder);
    }
  }

  #close(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  #countIdle(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#countFromMs > countIntervalMs) {
      this.#countFromMs = nowMs;
      this.#idleEvents = 0;
    }
    this.#idleEvents += 1;
    if (this.#idleEvents <= maximumIdleEvents) return;
    this.stop();
    this.#cancelPause = this.#options.clock.schedule(() => this.start(), pauseMs);
  }
}
