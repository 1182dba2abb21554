/** What alerts are drawn from, at this moment. */
import type { FastifyInstance } from 'fastify';
import type { DeviceFacts, FleetFacts } from '#fleet-server/alerts/decide.ts';
import { shownConditions } from '#fleet-server/devices/device-view.ts';

/** The relay may take its time at the start of the server, and so may the connection to a broker elsewhere. */
const settlesMs = 15_000;

export function readFacts(app: FastifyInstance, runningMs: number): FleetFacts {
  const devices: DeviceFacts[] = [];
  for (const { name, live } of app.devices.known()) {
    const { id, group, presence, streamsHere } = live;
    const isSilenced = app.maintenance.of(id, group) !== null;
    const hasConnected = live.session !== null;
    devices.push({ id, name, group, presence, streamsHere, hasConnected, isSilenced, conditions: shownConditions(live) });
  }
  const { kind, detail } = app.relay.state();
  const isRunning = kind === 'running';
  if (app.maintenance.isWholeFleet()) return { devices, relay: undefined, brokerProblem: undefined };
  const hasSettled = runningMs > settlesMs;
  const brokerProblem = app.broker.problem();
  return {
    devices,
    relay: isRunning || hasSettled ? { isRunning, detail } : undefined,
    brokerProblem: brokerProblem === null || hasSettled ? brokerProblem : undefined,
  };
}
