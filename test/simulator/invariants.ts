/** What must hold: on the way at every moment, and at the end once the faults have stopped. Each throws an error that says what was expected. */
import type { SimulatedDatabase } from './simulated-database.ts';
import { keepaliveEndsMs, type SimulatedServer } from './simulated-server.ts';
import { type Member, type Promised, possibleValues } from './world.ts';

const shownWithinMs = 1000;
const silentWithinMs = 16_000;

export function checkPresence(server: SimulatedServer, { id, joinedAtMs, agent }: Member, nowMs: number): void {
  const state = server.app.devices.get(id)?.presence.state ?? 'missing';
  const guest = server.guestOf(id);
  const closedAtMs = server.closedAtMs.get(id);
  if (guest === null) {
    if (closedAtMs !== undefined && nowMs - closedAtMs > shownWithinMs && state !== 'offline') {
      throw new Error(`expected ${id} to be shown as gone ${nowMs - closedAtMs} ms after its connection was closed, it is ${state}`);
    }
    // One that joined in this life of the server was never there.
    if (closedAtMs === undefined && joinedAtMs >= server.startedAtMs) return;
    const upMs = nowMs - server.startedAtMs;
    if (closedAtMs === undefined && upMs < keepaliveEndsMs && state !== 'unknown') {
      throw new Error(`expected ${id} to be unknown until its keepalive has run out after the restart, it is ${state} after ${upMs} ms`);
    }
    if (closedAtMs === undefined && upMs > silentWithinMs + shownWithinMs && state !== 'offline') {
      throw new Error(`expected ${id} to be offline ${upMs} ms after the restart, it is ${state}`);
    }
    return;
  }
  const silentMs = nowMs - guest.heardAtMs;
  if (silentMs > silentWithinMs && state === 'online') {
    throw new Error(`expected ${id}, silent for ${silentMs} ms, not to be shown as online`);
  }
  // It may have said that it stops.
  if (agent.isStopping) return;
  if (
    nowMs - guest.acceptedAtMs > shownWithinMs &&
    silentMs < shownWithinMs &&
    guest.link.passes.up &&
    guest.link.isOpen.device &&
    state !== 'online'
  ) {
    throw new Error(`expected ${id} to be shown as online ${nowMs - guest.acceptedAtMs} ms after it was let in, it is ${state}`);
  }
}

/** Of the device, whatever the server believes. */
export function checkDevice({ id, agent }: Member): void {
  for (const [commandId, times] of agent.done) if (times > 1) throw new Error(`command ${commandId} of ${id} was begun ${times} times`);
  const last = agent.revisions.length - 1;
  if (last > 0 && (agent.revisions[last] ?? 0) <= (agent.revisions[last - 1] ?? 0)) {
    throw new Error(`expected the applied revision of ${id} only to grow, it was ${agent.revisions.join(', ')}`);
  }
}

export function checkShownRevision(database: SimulatedDatabase, member: Member): void {
  const revision = Number(database.rows('select "appliedRevision" from "devices" where "id" = ?', member.id)[0]?.['appliedRevision'] ?? 0);
  if (revision < member.shownRevision) {
    throw new Error(`expected the shown revision of ${member.id} only to grow, it was ${member.shownRevision} and is ${revision}`);
  }
  member.shownRevision = revision;
}

/** That two boards use one device's identity stands in its history. */
export function isSeenTwice(database: SimulatedDatabase, id: string): boolean {
  return database.rows(`select 1 from "history" where "deviceId" = ? and "kind" = 'joined-twice'`, id).length > 0;
}

/** What is not yet as it must become. */
export function unsettled(server: SimulatedServer, database: SimulatedDatabase, members: readonly Member[]): string[] {
  return members.flatMap((member) => {
    const { id, agent } = member;
    const problems: string[] = [];
    const state = server.app.devices.get(id)?.presence.state;
    if (state !== 'online') problems.push(`expected ${id} to be online at the end, it is ${state}`);
    const row = database.rows('select * from "devices" where "id" = ?', id)[0] ?? {};
    const desired = Number(row['desiredRevision']);
    const inForce = agent.life?.inForce();
    const isTakenBack = Number(row['outcomeRevision']) === desired && row['outcome'] === 'rolled-back';
    const isInForce = inForce?.revision === desired && inForce.digest === row['desiredDigest'];
    if (Number(row['appliedRevision']) !== inForce?.revision || (!isInForce && !isTakenBack)) {
      const shown = `shown as ${row['appliedRevision']}, ${row['outcome']} ${row['outcomeRevision']}`;
      problems.push(`expected ${id} at revision ${desired}, it is at ${inForce?.revision}, ${shown}`);
    }
    const stored = storedEvents(database, id);
    const lost = [...agent.owed].filter((detail) => !stored.includes(detail));
    if (lost.length > 0) problems.push(`events of ${id} were lost: ${lost.join(', ')}`);
    return problems;
  });
}

export function checkEventsOnce(database: SimulatedDatabase, { id }: Member): void {
  const stored = storedEvents(database, id);
  if (new Set(stored).size === stored.length) return;
  const doubled = stored.filter((detail, index) => stored.indexOf(detail) !== index);
  throw new Error(`expected each event of ${id} once, got more than one of ${doubled.join(', ')}`);
}

function storedEvents(database: SimulatedDatabase, id: string): string[] {
  return database.rows(`select "detail" from "history" where "deviceId" = ? and "kind" = 'sim'`, id).map(({ detail }) => String(detail));
}

/** What an answer acknowledged is in the newest document of every device under that level. */
export function checkSettings(members: readonly Member[], settings: readonly Promised[]): void {
  for (const { id, agent } of members) {
    for (const setting of settings) {
      if (setting.level === 'device' && setting.scope !== id) continue;
      const held = agent.newest?.levels[setting.level][setting.key] ?? null;
      const possible = possibleValues(setting);
      if (!possible.includes(held as number)) {
        throw new Error(
          `expected ${id} to hold ${possible.join(' or ')} as ${setting.key} of the ${setting.level}, it holds ${String(held)}`,
        );
      }
    }
  }
}

/** What was answered as done was done, and what was acknowledged is there. */
export function checkCommands(database: SimulatedDatabase, members: readonly Member[], acknowledged: ReadonlySet<string>): void {
  const rows = database.rows('select "id", "deviceId", "state", "kind" from "commands"');
  const ids = new Set(rows.map(({ id }) => String(id)));
  for (const id of acknowledged) if (!ids.has(id)) throw new Error(`expected the acknowledged command ${id} to be stored`);
  for (const { id, deviceId, state, kind } of rows) {
    const times = members.find((member) => member.id === deviceId)?.agent.done.get(String(id)) ?? 0;
    if (state === 'done' && times !== 1) throw new Error(`the command ${kind} ${id} is shown as done and was begun ${times} times`);
    if (state === 'refused' && times > 0) throw new Error(`the command ${kind} ${id} is shown as refused and was begun`);
  }
}

export function checkSecrets(text: string, secrets: Iterable<string>): void {
  for (const secret of secrets) {
    const at = text.indexOf(secret);
    if (at >= 0)
      throw new Error(
        `expected no secret in any log, event or answer, nor in the store, found one: …${text.slice(Math.max(0, at - 150), at)}`,
      );
  }
}
