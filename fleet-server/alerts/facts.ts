/** What alerts are drawn from, at this moment. */
import type { FastifyInstance } from 'fastify';
import type { DeviceFacts, FleetFacts } from '#fleet-server/alerts/decide.ts';
import { shownConditions } from '#fleet-server/devices/device-view.ts';

/** The connection to a broker elsewhere may take its time at the start of the server. */
const settlesMs = 15_000;

export function readFacts(app: FastifyInstance, runningMs: number): FleetFacts {
  const devices: DeviceFacts[] = [];
  for (const { name, live } of app.devices.known()) {
    // Whatever is wrong with it, somebody wanted it so.
    if (live.blockedSinceMs !== null) continue;
    const { id, group, presence } = live;
    const isSilenced = app.maintenance.of(id, group) !== null;
    const hasConnected = live.session !== null;
    devices.push({ id, name, group, presence, hasConnected, isSilenced, conditions: shownConditions(live) });
  }
  if (app.maintenance.isWholeFleet()) return { devices, relays: undefined, brokerProblem: undefined };
  const hasSettled = runningMs > settlesMs;
  const brokerProblem = app.broker.problem();
  return {
    devices,
    relays: app.relays.all(),
    brokerProblem: brokerProblem === null || hasSettled ? brokerProblem : undefined,
  };
}
