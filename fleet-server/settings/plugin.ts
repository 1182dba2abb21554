/** `app.settings`: what each level sets, and what each device makes of it. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { readReport } from '#fleet-server/devices/kept-report.ts';
import { Settings } from '#fleet-server/settings/settings.ts';
import type { Scope } from '#fleet-server/settings/settings-store.ts';
import { SettingsTrials } from '#fleet-server/settings/trials.ts';

declare module 'fastify' {
  interface FastifyInstance {
    settings: Settings;
    settingsTrials: SettingsTrials;
  }
}

/** What was lost on the way is sent again; a device that is at it already takes no notice. */
const sendAgainMs = 30_000;

export type SettingsPluginOptions = {
  readonly clock: Clock;
  /** Of the relay that devices stream to. */
  readonly relay: { readonly port: number; readonly application: string };
};

async function settings(app: FastifyInstance, options: SettingsPluginOptions): Promise<void> {
  const { port, application } = options.relay;
  const instance = new Settings({
    database: app.store.database,
    secrets: app.secrets,
    clock: options.clock,
    log: app.log,
    audit: app.audit,
    // The published name is the device's id; what follows travels as an argument that the relay hands to us for checking.
    relayTarget: (deviceId, generation) => ({
      host: null,
      port,
      application,
      streamKey: `${deviceId}?key=${app.devices.rights.streamKeyOf(deviceId, generation)}`,
    }),
    reportOf: (deviceId) => readReport(app.devices.get(deviceId)?.report ?? null),
    isOnline: (deviceId) => app.devices.get(deviceId)?.presence.state === 'online',
    isConnected: (deviceId) => app.broker.isConnected(deviceId),
    publish: async (deviceId, desired) => {
      const outcome = await app.broker.publish(deviceId, 'desired', desired);
      // On a shared wire another server may reach it; where each has its own devices, the change itself was told to all.
      if (outcome === 'offline' && app.broker.isShared) app.servers.tell({ kind: 'settings', level: 'device', scope: deviceId });
    },
    tellOthers: ({ level, scope }) => {
      // On a shared wire this server reaches all devices itself: told to all, each would send each document.
      if (!app.broker.isShared || app.broker.problem() !== null) app.servers.tell({ kind: 'settings', level, scope });
    },
    appendHistory: (entry) => app.history.append(entry),
    publishChange: (change) => app.changes.publish(change),
  });
  const sendAgain = (where: Scope) =>
    instance.sendAgain(where).catch((err: unknown) => app.log.error({ err }, 'settings that are not in force yet could not be sent again'));
  app.servers.onTold((message) => {
    if (message.kind === 'settings') void sendAgain(message);
  });
  const cancel = options.clock.every(sendAgainMs, () => void sendAgain({ level: 'fleet', scope: '' }));
  app.addHook('preClose', () => {
    cancel();
    return instance.stop();
  });
  app.decorate('settings', instance);
  app.decorate('settingsTrials', new SettingsTrials({ settings: instance, secrets: app.secrets }));
  app.addHook('onReady', () => instance.start());
}

export const settingsPlugin = fastifyPlugin(settings, {
  name: 'settings',
  dependencies: ['store', 'servers', 'audit', 'changes', 'history', 'devices'],
});
