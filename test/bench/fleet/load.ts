/** The load: a process that is all devices of a simulated fleet. Told by its parent what to do, and answers in messages. */
import { type Credentials, type DeviceNews, SimulatedDevice } from './simulated-device.ts';

export type ToLoad =
  | { readonly kind: 'start'; readonly port: number; readonly fleet: readonly Credentials[]; readonly overMs: number }
  | { readonly kind: 'ask' };
export type FromLoad = { readonly kind: 'ready'; readonly ready: number; readonly eventsSaid: number } | DeviceNews;

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
  } else {
    const ready = devices.filter(({ isReady }) => isReady).length;
    tell({ kind: 'ready', ready, eventsSaid: devices.reduce((sum, { eventsSaid }) => sum + eventsSaid, 0) });
  }
});
process.on('disconnect', () => process.exit());
