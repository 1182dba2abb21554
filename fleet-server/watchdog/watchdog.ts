/** Asks twice a second what there is to do (decide.ts), and does it: a command to the device and an entry in its history. */
import { type Clock, momentOf, steadySince } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import type { WatchdogHooks } from '#fleet-server/watchdog/contract.ts';
import { type Act, decide, initialState, type Views, type WatchdogAction, type WatchdogState } from '#fleet-server/watchdog/decide.ts';

/** With a fault held for a second, a failed pipeline is restarted within two seconds of its report. */
const intervalMs = 500;
const hourMs = 3_600_000;

export type WatchdogSettings = { readonly hooks: WatchdogHooks; readonly log: Log; readonly clock: Clock };

export class Watchdog {
  readonly #settings: WatchdogSettings;
  /** Null: another server leads, or the history is not read yet. */
  #state: WatchdogState | null = null;
  #beginning: Promise<void> | null = null;
  /** By when a relay says that it came to run, when that was seen. */
  #relaysSeen: ReadonlyMap<number, number> = new Map();
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
    // What passes is measured, and not taken from the time of day, which may be set to another.
    const nowMs = clock.monotonicMs();
    const seen = new Map<number, number>();
    const relayRunningSinceMs: Views['relayRunningSinceMs'] = (device) => {
      const sinceMs = hooks.relayRunningSinceMs(device);
      if (sinceMs === null) return null;
      const seenAtMs = this.#relaysSeen.get(sinceMs) ?? nowMs;
      seen.set(sinceMs, seenAtMs);
      return seenAtMs;
    };
    const { policyOf, isSilenced } = hooks;
    const { state, actions } = decide(this.#state, { devices: hooks.devices(), relayRunningSinceMs, policyOf, isSilenced }, nowMs);
    this.#relaysSeen = seen;
    this.#state = state;
    for (const action of actions) void this.#perform(action);
  }

  /** What was done within the last hour counts, whichever server did it. */
  async #begin(): Promise<void> {
    const { hooks, clock, log } = this.#settings;
    const { nowMs, monotonicMs } = momentOf(clock);
    try {
      const acts = await hooks.actsSince(nowMs - hourMs);
      const measured = (act: Act): Act => ({ ...act, atMs: steadySince(act.atMs, nowMs, monotonicMs) });
      this.#state = initialState(monotonicMs, new Map([...acts].map(([id, ofDevice]) => [id, ofDevice.map(measured)])));
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
        // One write: neither is there without the other.
        const cause = { deviceId, origin: 'watchdog', kind: `watchdog-${kind}`, detail } as const;
        await hooks.requestCommand({ deviceId, kind, arguments: {}, requestedBy: 'watchdog', historyEntry: cause });
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
