/** The load: a process that is all devices of a simulated fleet. Told by its parent what to do, and answers in messages. */
import { type Credentials, type DeviceNews, SimulatedDevice } from './simulated-device.ts';

export type ToLoad =
  | { readonly kind: 'start'; readonly port: number; readonly fleet: readonly Credentials[]; readonly overMs: number }
  | { readonly kind: 'ask' }
  /** Nothing happens to any device any more. */
  | { readonly kind: 'be-quiet' };
export type FromLoad =
  | { readonly kind: 'ready'; readonly ready: number }
  /** Once they are quiet: of all devices the events that nobody has acknowledged; of each how many it has said. */
  | { readonly kind: 'quiet'; readonly unstored: number; readonly eventsSaid: Readonly<Record<string, number>> }
  | DeviceNews;

const devices: SimulatedDevice[] = [];
const tell = (message: FromLoad) => {
  if (process.connected) process.send?.(message);
};

process.on('message', (message: ToLoad) => {
  if (message.kind === 'start') {
    const { fleet, port, overMs } = message;
    for (const [index, credentials] of fleet.entries()) {
      const device = new SimulatedDevice(credentials, port, tell);
      devices.push(device);
      setTimeout(() => device.start(), (index / fleet.length) * overMs);
    }
  } else if (message.kind === 'ask') {
    tell({ kind: 'ready', ready: devices.filter(({ isReady }) => isReady).length });
  } else {
    for (const device of devices) device.beQuiet();
    tell({
      kind: 'quiet',
      unstored: devices.reduce((sum, { unstored }) => sum + unstored, 0),
      eventsSaid: Object.fromEntries(devices.map(({ deviceId, eventsSaid }) => [deviceId, eventsSaid])),
    });
  }
});
process.on('disconnect', () => process.exit());
