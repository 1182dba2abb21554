/**
 * What systemd is told (sd_notify(3)): ready, what is streamed, alive, stopping.
 *
 * The notify socket is a Unix datagram socket, which Node does not have; `systemd-notify` is on every machine that has the
 * socket, waits until its message has been taken (so that it is not lost with its short life), and needs neither a native
 * add-on nor a shell. Its unit says NotifyAccess=all.
 *
 * INVARIANTS
 * - One child at a time, bounded in time. What is to be said meanwhile is kept by its kind, the newest of each.
 * - The child's environment holds the socket and the path, nothing of ours.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isProgress, type Pulse } from '#device/service/proof-of-life.ts';

/** Hands the words to the service manager; resolves when it has them, or when that took too long. */
export type Notify = (words: readonly string[]) => Promise<void>;

export type ServiceManagerOptions = {
  readonly notify: Notify;
  /** Null: no watchdog was asked for. */
  readonly watchdogMs: number | null;
  readonly monotonicMs: () => number;
};

const notifyBoundMs = 6000;
const maxStatusCharacters = 200;
/** sd_watchdog_enabled(3) advises half of the time; a third leaves room for one message that is lost. */
const feedsAPeriod = 3;

export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  readonly #waiting = new Map<string, string>();
  #sending: Promise<void> | null = null;
  #proof: Pulse | null = null;
  #fedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
  }

  ready(): void {
    this.#say('READY', '1');
  }

  /** One line for people, without secrets. */
  say(status: string): void {
    this.#say('STATUS', status.replaceAll(/\s+/g, ' ').slice(0, maxStatusCharacters));
  }

  /** To be called as often as the loop comes round. */
  pulse(now: Pulse): void {
    const { watchdogMs, monotonicMs } = this.#options;
    if (watchdogMs === null || monotonicMs() - this.#fedAtMs < watchdogMs / feedsAPeriod) return;
    if (!isProgress(this.#proof, now)) return;
    this.#proof = now;
    this.#fedAtMs = monotonicMs();
    this.#say('WATCHDOG', '1');
  }

  /** Resolves when it has been said. */
  async stopping(): Promise<void> {
    this.#waiting.clear();
    this.#say('STOPPING', '1');
    await this.#sending;
  }

  #say(name: string, value: string): void {
    this.#waiting.set(name, value);
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    try {
      while (this.#waiting.size > 0) {
        const words = [...this.#waiting].map(([name, value]) => `${name}=${value}`);
        this.#waiting.clear();
        await this.#options.notify(words);
      }
    } finally {
      this.#sending = null;
    }
  }
}

type Environment = { readonly [name: string]: string | undefined };

/** Null when no service manager has asked to be told. */
export function serviceManagerOf(environment: Environment, processId: number, monotonicMs: () => number): ServiceManager | null {
  const { NOTIFY_SOCKET: socket, PATH: path = '/usr/bin:/bin' } = environment;
  if (socket === undefined || socket === '') return null;
  const env = { NOTIFY_SOCKET: socket, PATH: path };
  return new ServiceManager({
    notify: async (words) => {
      try {
        await promisify(execFile)('systemd-notify', [...words], { env, timeout: notifyBoundMs });
      } catch {
        // A message that cannot be handed over is not to be mended from here: the watchdog acts when all are lost.
      }
    },
    watchdogMs: watchdogOf(environment, processId),
    monotonicMs,
  });
}

/** sd_watchdog_enabled(3): meant for us only when WATCHDOG_PID is ours, or absent. */
function watchdogOf({ WATCHDOG_USEC, WATCHDOG_PID }: Environment, processId: number): number | null {
  const microseconds = Number(WATCHDOG_USEC ?? Number.NaN);
  if (!(microseconds > 0) || (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(processId))) return null;
  return microseconds / 1000;
}
