/** What alerts are drawn from, at this moment. */
import type { FastifyInstance } from 'fastify';
import type { FleetFacts } from '#fleet-server/alerts/decide.ts';
import { shownConditions } from '#fleet-server/devices/device-view.ts';
import { allDeviceNames } from '#fleet-server/devices/devices-store.ts';

/** The relay may take its time at the start of the server. */
const relaySettlesMs = 15_000;

export async function readFacts(app: FastifyInstance, runningMs: number): Promise<FleetFacts> {
  const rows = await allDeviceNames(app.store.database);
  const devices = rows.flatMap(({ id, name, groupName }) => {
    const live = app.devices.get(id);
    if (live === undefined) return [];
    const { presence, streamsHere } = live;
    const isSilenced = app.maintenance.of(id, groupName) !== null;
    const hasConnected = live.session !== null;
    return [{ id, name, group: groupName, presence, streamsHere, hasConnected, isSilenced, conditions: shownConditions(live) }];
  });
  const { kind, detail } = app.relay.state();
  const isRunning = kind === 'running';
  if (app.maintenance.isWholeFleet()) return { devices, relay: undefined };
  return { devices, relay: isRunning || runningMs > relaySettlesMs ? { isRunning, detail } : undefined };
}
