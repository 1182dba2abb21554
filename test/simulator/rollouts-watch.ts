/**
 * What must hold of roll-outs: no wave is passed whose devices did not confirm and stay well, none goes on past its threshold, each ends once the
 * faults have stopped, and one that is taken back leaves what was before.
 */
import type { Beliefs } from './beliefs.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import type { Member } from './world.ts';

/** Of the group; nobody else sets it. */
export const rolledOutKey = 'AV_VIDEO_WIDTH';

type Row = {
  readonly id: string;
  readonly state: string;
  readonly wave: number;
  readonly value: number;
  readonly before: number | null;
  readonly soakMs: number;
  readonly threshold: number;
};
type Device = {
  readonly id: string;
  readonly wave: number;
  readonly state: string;
  readonly before: { readonly wasLive: boolean; readonly critical: readonly string[] };
};

/** The server looks once a second: what passes within it is not seen. */
const unseenMs = 1300;

export class RolloutsWatch {
  /** Of answers that came. */
  readonly begun = new Set<string>();
  readonly takenBack = new Set<string>();
  readonly #steady = new Set<string>();
  /** By roll-out and device, when it was last seen to be unwell for longer than what passes unseen. */
  readonly #unwellAtMs = new Map<string, number>();
  readonly #unwellSinceMs = new Map<string, number>();

  look(database: SimulatedDatabase, members: readonly Member[], beliefs: Beliefs, isServerThere: boolean): void {
    for (const row of rowsOf(database)) {
      if (row.state !== 'running' && row.state !== 'halted') continue;
      const devices = devicesOf(database, row.id);
      checkThreshold(row, devices);
      for (const device of devices) {
        const member = members.find(({ id }) => id === device.id);
        if (member === undefined) continue;
        if (device.wave > row.wave && member.agent.newest?.levels.group[rolledOutKey] === row.value)
          throw new Error(`expected ${device.id} of wave ${device.wave} not to get it in wave ${row.wave}`);
        if (isServerThere) this.#noteUnwell(row, device, beliefs);
        this.#checkSteady(row, device, member, beliefs.nowMs);
      }
      this.#checkWave(row, devices);
    }
  }

  #noteUnwell(row: Row, device: Device, beliefs: Beliefs): void {
    const key = `${row.id} ${device.id}`;
    const { nowMs } = beliefs;
    const isUnwell =
      beliefs.lastsMs(device.id, 'offline') !== null ||
      beliefs.criticalOf(device.id).some((code) => !device.before.critical.includes(code)) ||
      (device.before.wasLive && beliefs.lastsMs(device.id, 'online') !== null && beliefs.lastsMs(device.id, 'live') === null);
    if (!isUnwell) this.#unwellSinceMs.delete(key);
    else if (!this.#unwellSinceMs.has(key)) this.#unwellSinceMs.set(key, nowMs);
    if (isUnwell && nowMs - (this.#unwellSinceMs.get(key) ?? nowMs) > unseenMs) this.#unwellAtMs.set(key, nowMs);
  }

  #checkSteady(row: Row, device: Device, { agent }: Member, nowMs: number): void {
    const key = `${row.id} ${device.id}`;
    if (device.state !== 'steady' || this.#steady.has(key)) return;
    this.#steady.add(key);
    const inForceMs = agent.inForceSinceMs(rolledOutKey, row.value);
    if (inForceMs === null || nowMs - inForceMs < row.soakMs)
      throw new Error(
        `expected ${device.id} to count as steady ${row.soakMs} ms after the change came into force, it came into force ${inForceMs === null ? 'never' : `${nowMs - inForceMs} ms ago`}`,
      );
    const unwellAtMs = this.#unwellAtMs.get(key);
    if (unwellAtMs !== undefined && nowMs - unwellAtMs < row.soakMs - 200)
      throw new Error(
        `expected ${device.id} to count as steady when it was well for ${row.soakMs} ms, it was not ${nowMs - unwellAtMs} ms ago`,
      );
  }

  #checkWave({ id, wave }: Row, devices: readonly Device[]): void {
    const open = devices.find((device) => device.wave < wave && !['steady', 'failed', 'excused', 'absent', 'left'].includes(device.state));
    // One that failed and came round, or came back, is looked after again.
    if (open !== undefined && !this.#wasSettled.has(`${id} ${open.id}`))
      throw new Error(`expected wave ${wave} not to be reached while ${open.id} is ${open.state}`);
    for (const device of devices)
      if (['steady', 'failed', 'excused', 'absent', 'left'].includes(device.state)) this.#wasSettled.add(`${id} ${device.id}`);
  }
  readonly #wasSettled = new Set<string>();

  /** What is not yet as it must become. */
  unsettled(database: SimulatedDatabase): string[] {
    return rowsOf(database).flatMap(({ id, state, wave }) =>
      state === 'running' ? [`expected the roll-out ${id} to end, it is running in wave ${wave}`] : [],
    );
  }

  /** The one that may be taken back. */
  newest(database: SimulatedDatabase): { readonly id: string; readonly state: string } | null {
    return rowsOf(database).at(-1) ?? null;
  }

  checkTheEnd(database: SimulatedDatabase, members: readonly Member[]): void {
    const rows = rowsOf(database);
    let level: number | null = null;
    for (const { id, state, value, before } of rows) {
      if (before !== level) throw new Error(`expected the roll-out ${id} to begin at ${level}, it began at ${before}`);
      if (state === 'completed') level = value;
    }
    for (const id of this.begun)
      if (!rows.some((row) => row.id === id)) throw new Error(`expected the acknowledged roll-out ${id} to be stored`);
    for (const id of this.takenBack)
      if (rows.find((row) => row.id === id)?.state !== 'rolled-back') throw new Error(`expected the roll-out ${id} to be taken back`);
    const underWay = rows.find(({ state }) => state === 'running' || state === 'halted');
    const having = new Set(
      underWay === undefined
        ? []
        : devicesOf(database, underWay.id).flatMap(({ id, state }) => (['waiting', 'absent', 'left'].includes(state) ? [] : [id])),
    );
    for (const { id, agent } of members) {
      const expected = underWay !== undefined && having.has(id) ? underWay.value : level;
      const held = agent.newest?.levels.group[rolledOutKey] ?? null;
      if (held !== expected) throw new Error(`expected ${id} to hold ${expected} of what was rolled out, it holds ${String(held)}`);
    }
  }
}

function checkThreshold({ id, state, threshold }: Row, devices: readonly Device[]): void {
  const given = devices.filter((device) => !['waiting', 'absent', 'left'].includes(device.state));
  const failed = given.filter((device) => device.state === 'failed');
  if (state === 'running' && failed.length * 100 > threshold * given.length)
    throw new Error(`expected the roll-out ${id} to halt when ${failed.length} of ${given.length} failed, it goes on`);
}

function rowsOf(database: SimulatedDatabase): Row[] {
  return database.rows('select * from "rollouts" order by rowid').map((row) => {
    const plan = JSON.parse(String(row['plan'])) as { soakS?: number; failureThresholdPercent?: number };
    const [change] = JSON.parse(String(row['changes'])) as { before: { value: number } | null; after: { value: number } }[];
    return {
      ...{ id: String(row['id']), state: String(row['state']), wave: Number(row['wave']) },
      ...{ value: change?.after.value ?? 0, before: change?.before?.value ?? null },
      ...{ soakMs: (plan.soakS ?? 0) * 1000, threshold: plan.failureThresholdPercent ?? 100 },
    };
  });
}

function devicesOf(database: SimulatedDatabase, id: string): Device[] {
  return database.rows('select * from "rolloutDevices" where "rolloutId" = ?', id).map((row) => ({
    ...{ id: String(row['deviceId']), wave: Number(row['wave']), state: String(row['state']) },
    before: JSON.parse(String(row['before'])) as Device['before'],
  }));
}
