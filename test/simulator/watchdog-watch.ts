/**
 * What must hold of the watchdog: nothing is done to a device in a maintenance window, nor sent that was asked for before; after it, and without one, a pipeline that the running server has been told to have failed is restarted within the bound, never more often than
 * the policy allows in an hour, and each restart stands in the device's history once, with its cause.
 */

import { defaultPolicy } from '#fleet-server/watchdog/policy.ts';
import type { WatchdogPolicy } from '#protocol/model/watchdog.ts';
import type { Beliefs } from './beliefs.ts';
import { windowLookMs } from './maintenance-watch.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import type { SimulatedServer } from './simulated-server.ts';
import type { Member } from './world.ts';

const hourMs = 3_600_000;
/** After the start of the server and of a connection it looks before it acts. */
const settleMs = 15_000;
/** Two looks a second, and this run's own look. */
const lookMs = 700;

/** So few that a run comes to the bound. */
export const simulatedPolicy: WatchdogPolicy = {
  ...defaultPolicy,
  steps: [
    { command: 'restart-pipeline', attempts: 1, maxAnHour: 2 },
    { command: 'restart-media-host', attempts: 2, maxAnHour: 2 },
    { command: 'restart-agent', attempts: 1, maxAnHour: 1 },
  ],
  firstPauseS: 5,
  maxPauseS: 20,
  forgiveAfterS: 20,
  maxAnHour: 2,
};

type Act = { readonly kind: string; readonly atMs: number; readonly wallMs: number; readonly server: SimulatedServer };

export class WatchdogWatch {
  readonly #acts = new Map<string, Act[]>();
  #lastId = 0;

  /** Acts of which the running server's clock, and time itself, say that they are within the hour. */
  #withinHour(server: SimulatedServer, id: string, nowMs: number): Act[] {
    return (this.#acts.get(id) ?? []).filter(
      ({ atMs, wallMs, server: other }) => nowMs - atMs < hourMs && (other === server || server.wallAtStartMs - wallMs < hourMs),
    );
  }

  look(server: SimulatedServer | null, database: SimulatedDatabase, members: readonly Member[], beliefs: Beliefs): void {
    const { nowMs } = beliefs;
    const rows = database.rows(
      `select "id", "deviceId", "kind", "detail", "atMs" from "history" where "id" > ? and "origin" = 'watchdog'`,
      this.#lastId,
    );
    for (const { id, deviceId, kind, detail, atMs } of rows) {
      this.#lastId = Math.max(this.#lastId, Number(id));
      if ((beliefs.lastsMs(String(deviceId), 'silenced') ?? 0) > windowLookMs)
        throw new Error(`expected the watchdog to do nothing to ${deviceId} in its maintenance window, it did ${kind}`);
      if (kind === 'watchdog-waits' || kind === 'watchdog-sees') continue;
      if (!/because for \d+ s (in parts )?(the device|the picture|there is)/.test(String(detail)))
        throw new Error(`expected a cause in the history entry ${kind} of ${deviceId}, got: ${detail}`);
      if (server === null) continue;
      const device = String(deviceId);
      const within = this.#withinHour(server, device, nowMs);
      if (within.length >= simulatedPolicy.maxAnHour)
        throw new Error(`expected at most ${simulatedPolicy.maxAnHour} restarts of ${device} an hour, this is one more: ${kind}`);
      const act: Act = { kind: String(kind), atMs: nowMs, wallMs: Number(atMs), server };
      this.#acts.set(device, [...(this.#acts.get(device) ?? []), act]);
    }
    if (server === null) return;
    this.#checkSent(server, database, beliefs);
    for (const { id } of members) this.#checkDue(server, id, beliefs);
  }

  /** What it asked for before a window is not sent in it, unless the device has begun it. */
  #checkSent(server: SimulatedServer, database: SimulatedDatabase, beliefs: Beliefs): void {
    for (const commandId of server.sentCommands.splice(0)) {
      const [row] = database.rows(
        `select "deviceId", "kind" from "commands" where "id" = ? and "requestedBy" = 'watchdog' and "begunAtMs" is null`,
        commandId,
      );
      if (row !== undefined && (beliefs.lastsMs(String(row['deviceId']), 'silenced') ?? 0) > windowLookMs)
        throw new Error(
          `expected nothing of the watchdog's to be sent to ${row['deviceId']} in its maintenance window, ${row['kind']} was`,
        );
    }
  }

  #checkDue(server: SimulatedServer, id: string, beliefs: Beliefs): void {
    const { nowMs } = beliefs;
    const failedMs = beliefs.lastsMs(id, 'failed');
    const freeMs = beliefs.lastsMs(id, 'free');
    if (failedMs === null || freeMs === null || !beliefs.isDiskGoodFor(failedMs + settleMs)) return;
    const within = this.#withinHour(server, id, nowMs);
    const gentle = within.filter(({ kind }) => kind === 'watchdog-restart-pipeline').length;
    if (within.length >= simulatedPolicy.maxAnHour || gentle >= (simulatedPolicy.steps[0]?.maxAnHour ?? 0)) return;
    const holdMs = simulatedPolicy.faults['pipeline-failed'].holdS * 1000;
    const ofLife = within.filter((act) => act.server === server);
    const last = ofLife.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
    const pauseMs = Math.min(simulatedPolicy.maxPauseS, simulatedPolicy.firstPauseS * 2 ** Math.max(0, ofLife.length - 1)) * 1000;
    const dueMs = Math.max(
      nowMs - failedMs + holdMs,
      nowMs - freeMs + windowLookMs + holdMs,
      nowMs - beliefs.connectionLastsMs(id) + settleMs,
      server.startedAtMs + settleMs,
      last + pauseMs,
    );
    if (nowMs > dueMs + lookMs)
      throw new Error(
        `expected a restart of ${id} ${holdMs + lookMs} ms after its report, there is none ${nowMs - dueMs + holdMs} ms after it`,
      );
  }

  /** Of all that it asked for. */
  checkTheEnd(database: SimulatedDatabase, members: readonly Member[]): void {
    for (const { id } of members) {
      const told = database
        .rows(
          `select "kind", "atMs" from "history" where "deviceId" = ? and "origin" = 'watchdog' and "kind" like 'watchdog-re%' order by "id"`,
          id,
        )
        .map(({ kind, atMs }) => `${String(kind).slice('watchdog-'.length)} at ${atMs}`);
      const asked = database
        .rows(`select "kind", "requestedAtMs" from "commands" where "deviceId" = ? and "requestedBy" = 'watchdog' order by rowid`, id)
        .map(({ kind, requestedAtMs }) => `${kind} at ${requestedAtMs}`);
      if (told.join() !== asked.join())
        throw new Error(
          `expected each restart of ${id} once in its history; asked for: ${asked.join(', ')}; in the history: ${told.join(', ')}`,
        );
    }
  }
}
