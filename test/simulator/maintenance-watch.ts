/**
 * Who is in a maintenance window for sure, and who is in none: between the two is what an answer may be on its way of, or a clock that was set back.
 * What is acknowledged stays, until somebody ends it.
 */
import type { MaintenanceRequest } from '#protocol/model/maintenance.ts';
import type { Beliefs } from './beliefs.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import type { SimulatedServer } from './simulated-server.ts';
import type { Member } from './world.ts';

/** The server looks once a second who is in one. */
export const windowLookMs = 1200;

export class MaintenanceWatch {
  /** Of answers that came. */
  readonly planned = new Set<string>();
  /** Somebody asked for it, whatever became of that. */
  readonly ended = new Set<string>();

  look(server: SimulatedServer | null, database: SimulatedDatabase, members: readonly Member[], beliefs: Beliefs): void {
    const windows = windowsOf(database);
    const lost = [...this.planned].find((id) => !this.ended.has(id) && !windows.some((window) => window.id === id));
    if (lost !== undefined) throw new Error(`expected the acknowledged maintenance window ${lost} to be stored`);
    const wallMs = server?.wallMs() ?? 0;
    for (const id of ['fleet', ...members.map((member) => member.id)]) {
      const its = windows.filter(({ scope }) => scope.kind === 'fleet' || (id !== 'fleet' && (scope.kind === 'group' || scope.id === id)));
      beliefs.note(id, 'silenced', server !== null && its.some(({ fromMs, toMs }) => wallMs >= fromMs && wallMs < toMs));
      beliefs.note(id, 'free', server !== null && its.every(({ toMs }) => wallMs >= toMs));
    }
  }
}

export function windowsOf(database: SimulatedDatabase) {
  return database.rows(`select "id", "document" from "maintenanceWindows"`).map(({ id, document }) => {
    const { scope, schedule } = JSON.parse(String(document)) as MaintenanceRequest;
    if (schedule.kind !== 'once') throw new Error('expected a window that is open once');
    return { id: String(id), scope, fromMs: Date.parse(schedule.from), toMs: Date.parse(schedule.to) };
  });
}
