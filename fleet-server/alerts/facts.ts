/** What alerts are drawn from, at this moment. */
import type { FastifyInstance } from 'fastify';
import type { DeviceFacts, FleetFacts } from '#fleet-server/alerts/decide.ts';
import { hasNoConditions, shownConditions } from '#fleet-server/devices/device-view.ts';
import type { LiveDevice } from '#fleet-server/devices/live-device.ts';

/** The connection to a broker elsewhere may take its time at the start of the server. */
const settlesMs = 15_000;

export function readFacts(app: FastifyInstance, runningMs: number): FleetFacts {
  const devices: DeviceFacts[] = [];
  const well = new Map<string | null, number>();
  const isAnySilenced = app.maintenance.isAnyOpen();
  for (const { name, live } of app.devices.known()) {
    // Whatever is wrong with it, somebody wanted it so.
    if (live.blockedSinceMs !== null) continue;
    // Nearly every device of a large fleet, each second.
    if (!isAnySilenced && isWell(live)) {
      well.set(live.group, (well.get(live.group) ?? 0) + 1);
      continue;
    }
    const { id, group, presence } = live;
    const isSilenced = app.maintenance.of(id, group) !== null;
    const hasConnected = live.session !== null;
    const hasSaid = live.media !== null;
    devices.push({ id, name, group, presence, hasConnected, hasSaid, isSilenced, conditions: shownConditions(live) });
  }
  if (app.maintenance.isWholeFleet()) return { devices, well, relays: undefined, brokerProblem: undefined };
  const hasSettled = runningMs > settlesMs;
  const brokerProblem = app.broker.problem();
  return {
    devices,
    well,
    relays: app.relays.all(),
    brokerProblem: brokerProblem === null || hasSettled ? brokerProblem : undefined,
  };
}

/** It is there, has said how it is, and there is nothing to say of it. */
function isWell(live: LiveDevice): boolean {
  return live.presence.state === 'online' && live.session !== null && live.media !== null && hasNoConditions(live);
}
