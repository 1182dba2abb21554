/** Asks once a second what there is to do (decide.ts), and does it: a command to the device and an entry in its history. */
import type { Clock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import type { WatchdogHooks } from '#fleet-server/watchdog/contract.ts';
import { decide, initialState, type WatchdogAction } from '#fleet-server/watchdog/decide.ts';

const intervalMs = 1000;

export type WatchdogSettings = { readonly hooks: WatchdogHooks; readonly log: Log; readonly clock: Clock };

export class Watchdog {
  readonly #settings: WatchdogSettings;
  #state = initialState(0);
  #cancel: (() => void) | undefined;

  constructor(settings: WatchdogSettings) {
    this.#settings = settings;
  }

  start(): void {
    if (this.#cancel !== undefined) return;
    const { clock } = this.#settings;
    this.#state = initialState(clock.nowMs());
    this.#cancel = clock.every(intervalMs, () => this.#look());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    const { hooks, clock } = this.#settings;
    if (!hooks.isLeader()) {
      // Whoever leads next looks for a while before it acts.
      this.#state = initialState(clock.nowMs());
      return;
    }
    const views = { devices: hooks.devices(), relayRunningSinceMs: hooks.relayRunningSinceMs() };
    const { state, actions } = decide(this.#state, views, clock.nowMs());
    this.#state = state;
    for (const action of actions) void this.#perform(action);
  }

  async #perform(action: WatchdogAction): Promise<void> {
    const { hooks, log } = this.#settings;
    const { deviceId, detail } = action;
    try {
      if (action.kind === 'restart') {
        const { command: kind, fault, attempt } = action;
        log.warn({ deviceId, fault, attempt, command: kind }, 'watchdog: restart asked for');
        await hooks.appendHistory({ deviceId, origin: 'watchdog', kind: `watchdog-${kind}`, detail });
        await hooks.requestCommand({ deviceId, kind, arguments: {}, requestedBy: 'watchdog' });
      } else {
        log.warn({ deviceId }, 'watchdog: restarts do not help, it waits');
        await hooks.appendHistory({ deviceId, origin: 'watchdog', kind: 'watchdog-waits', detail });
      }
    } catch (cause) {
      // It is tried again by itself after the pause, as if the restart had not helped.
      log.error({ deviceId, err: cause }, 'watchdog: an action could not be carried out');
    }
  }
}
