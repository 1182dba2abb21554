/** Asks twice a second what there is to do (decide.ts), and does it: a command to the device and an entry in its history. */
import type { Clock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import type { WatchdogHooks } from '#fleet-server/watchdog/contract.ts';
import { decide, initialState, type WatchdogAction, type WatchdogState } from '#fleet-server/watchdog/decide.ts';

/** With a fault held for a second, a failed pipeline is restarted within two seconds of its report. */
const intervalMs = 500;
const hourMs = 3_600_000;

export type WatchdogSettings = { readonly hooks: WatchdogHooks; readonly log: Log; readonly clock: Clock };

export class Watchdog {
  readonly #settings: WatchdogSettings;
  /** Null: another server leads, or the history is not read yet. */
  #state: WatchdogState | null = null;
  #beginning: Promise<void> | null = null;
  #cancel: (() => void) | undefined;

  constructor(settings: WatchdogSettings) {
    this.#settings = settings;
  }

  start(): void {
    this.#cancel ??= this.#settings.clock.every(intervalMs, () => this.#look());
    this.#look();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#beginning;
  }

  #look(): void {
    const { hooks, clock } = this.#settings;
    if (!hooks.isLeader()) {
      // Whoever leads next looks for a while before it acts.
      this.#state = null;
      return;
    }
    if (this.#state === null) {
      this.#beginning ??= this.#begin().finally(() => {
        this.#beginning = null;
      });
      return;
    }
    const { policyOf, isSilenced, relayRunningSinceMs } = hooks;
    const views = { devices: hooks.devices(), relayRunningSinceMs, policyOf, isSilenced };
    const { state, actions } = decide(this.#state, views, clock.nowMs());
    this.#state = state;
    for (const action of actions) void this.#perform(action);
  }

  /** What was done within the last hour counts, whichever server did it. */
  async #begin(): Promise<void> {
    const { hooks, clock, log } = this.#settings;
    const nowMs = clock.nowMs();
    try {
      this.#state = initialState(nowMs, await hooks.actsSince(nowMs - hourMs));
    } catch (err) {
      log.error({ err }, 'watchdog: what was done before could not be read; it is asked again');
    }
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
        log.warn(
          { deviceId },
          action.kind === 'pause' ? 'watchdog: restarts do not help, it waits' : 'watchdog: something is seen, and told',
        );
        const kind = action.kind === 'pause' ? 'watchdog-waits' : 'watchdog-sees';
        await hooks.appendHistory({ deviceId, origin: 'watchdog', kind, detail });
      }
    } catch (cause) {
      // It is tried again by itself after the pause, as if the restart had not helped.
      log.error({ deviceId, err: cause }, 'watchdog: an action could not be carried out');
    }
  }
}
