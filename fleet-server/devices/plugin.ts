/** `app.devices`: the register of devices, filled from the store before the server listens, and in step with other servers' after that. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { cutDevice } from '#fleet-server/devices/cut-device.ts';
import { DeviceRegister } from '#fleet-server/devices/device-register.ts';
import { allDevices, savePresence } from '#fleet-server/devices/devices-store.ts';
import { LastHeard } from '#fleet-server/devices/last-heard.ts';
import { credentialTaken } from '#fleet-server/devices/next-credential.ts';
import { SharedDevices } from '#fleet-server/devices/shared-devices.ts';
import type { ServerPlace } from '#fleet-server/servers/servers-store.ts';

declare module 'fastify' {
  interface FastifyInstance {
    devices: DeviceRegister;
    /** Null: no other server shares the database. */
    sharedDevices: SharedDevices | null;
    lastHeard: LastHeard;
  }
}

export type DevicesOptions = {
  readonly clock: Clock;
  /** Where this server's own pages and relay are reached by those of another one. */
  readonly place: ServerPlace;
  /** See DeviceBroker. */
  readonly isWireShared: boolean;
};

async function devices(app: FastifyInstance, { clock, place, isWireShared }: DevicesOptions): Promise<void> {
  const { database } = app.store;
  const { servers, relays } = app;
  const cut = (deviceId: string) => cutDevice(app, deviceId);
  const register: DeviceRegister = new DeviceRegister({
    clock,
    secrets: app.secrets,
    isWireShared,
    publishChange: (change) => app.changes.publish(change),
    relayOf: (serverId) => relays.of(serverId),
    onOwn: (deviceId, part, isClaim) => shared?.note(deviceId, part, isClaim),
    onCredentialTaken: (deviceId, hash) => {
      credentialTaken(app, deviceId, hash).catch((err: unknown) => {
        // Both still count in the store: the next use is the first.
        app.log.error({ err, deviceId }, 'that a device uses its new credential could not be stored');
      });
    },
    onShutOut: cut,
    onElsewhere: (deviceId) => {
      app.broker.disconnect(deviceId);
      shared?.reload(deviceId);
    },
    // Whoever works at it in a maintenance window may unplug it.
    isLossMeant: ({ id, group }) => app.maintenance.of(id, group) !== null,
    onPresence: (live, losses) => {
      const { state, reason } = live.presence;
      // On a shared wire every server sees it come and go, and one writes it down. That the wire is lost says nothing of the device.
      if (isWireShared && (state === 'unknown' || !servers.isLeader())) return;
      const kind = state === 'online' ? 'device-online' : 'device-offline';
      void app.history.append({ deviceId: live.id, origin: 'server', kind, detail: reason });
      savePresence(database, { deviceId: live.id, heardAtMs: live.heardAtMs }, losses).catch((err: unknown) => {
        app.log.error({ err, deviceId: live.id }, 'the presence of a device could not be stored');
      });
    },
  });
  const shared = servers.isAlone ? null : new SharedDevices({ database, clock, log: app.log, servers, register, relays, place, cut });
  relays.onChange(() => register.relaysChanged());
  app.decorate('devices', register);
  app.decorate('sharedDevices', shared);
  const lastHeard = new LastHeard({ database, clock, log: app.log });
  app.decorate('lastHeard', lastHeard);
  app.addHook('preClose', () => lastHeard.stop());
  register.start(await allDevices(database));
  app.addHook('onClose', async () => register.stop());
  if (shared === null) return;
  app.addHook('onReady', () => shared.start());
  app.addHook('preClose', () => shared.stop());
}

export const devicesPlugin = fastifyPlugin(devices, {
  name: 'devices',
  dependencies: ['store', 'servers', 'changes', 'history', 'maintenance'],
});
