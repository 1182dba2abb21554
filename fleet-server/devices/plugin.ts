/** `app.devices`: the register of devices, filled from the store before the server listens. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { DeviceRegister } from '#fleet-server/devices/device-register.ts';
import { allDevices, saveState } from '#fleet-server/devices/devices-store.ts';

declare module 'fastify' {
  interface FastifyInstance {
    devices: DeviceRegister;
  }
}

async function devices(app: FastifyInstance, options: { readonly clock: Clock }): Promise<void> {
  const { database } = app.store;
  const register = new DeviceRegister({
    clock: options.clock,
    secrets: app.secrets,
    publishChange: (change) => app.changes.publish(change),
    onPresence: (live) => {
      const { state, reason } = live.presence;
      const kind = state === 'online' ? 'device-online' : 'device-offline';
      void app.history.append({ deviceId: live.id, origin: 'server', kind, detail: reason });
      saveState(database, { deviceId: live.id, heardAtMs: live.heardAtMs }).catch((err: unknown) => {
        app.log.error({ err, deviceId: live.id }, 'the presence of a device could not be stored');
      });
    },
  });
  app.decorate('devices', register);
  register.start(await allDevices(database));
  app.addHook('onClose', async () => register.stop());
}

export const devicesPlugin = fastifyPlugin(devices, { name: 'devices', dependencies: ['store', 'changes', 'history'] });
