/** `app.commands`: one-shot requests to devices. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { DeviceCommands } from '#fleet-server/commands/device-commands.ts';
import { announceNextCredential, nextCredentialOf, offerNextCredential } from '#fleet-server/devices/next-credential.ts';

declare module 'fastify' {
  interface FastifyInstance {
    commands: DeviceCommands;
  }
}

async function commands(app: FastifyInstance, options: { readonly clock: Clock }): Promise<void> {
  const instance = new DeviceCommands({
    database: app.store.database,
    clock: options.clock,
    log: app.log,
    audit: app.audit,
    isKnown: (deviceId) => app.devices.isKnown(deviceId),
    isAnyWindowOpen: () => app.maintenance.isAnyOpen(),
    windowOf: (deviceId) => app.maintenance.of(deviceId, app.devices.get(deviceId)?.group ?? null),
    publish: (deviceId, command) => app.broker.publish(deviceId, 'command', command),
    isConnected: (deviceId) => app.broker.isConnected(deviceId),
    mayLoseResults: () => app.broker.isShared,
    tellOthers: (deviceId) => app.servers.tell({ kind: 'command', deviceId }),
    isLeader: () => app.servers.isLeader(),
    publishChange: (change) => app.changes.publish(change),
    appendHistory: (entry) => app.history.append(entry),
    appendHistoryIn: (transaction, entry) => app.history.appendIn(transaction, entry),
    secretArguments: {
      prepare: (transaction, deviceId) => offerNextCredential(app, transaction, deviceId),
      announce: (deviceId) => announceNextCredential(app, deviceId),
      of: (deviceId) => nextCredentialOf(app, deviceId),
    },
  });
  app.decorate('commands', instance);
  app.servers.onTold((message) => {
    if (message.kind === 'command') instance.onAskedElsewhere(message.deviceId);
  });
  app.addHook('onReady', async () => instance.start());
  app.addHook('preClose', () => instance.stop());
}

export const commandsPlugin = fastifyPlugin(commands, {
  name: 'commands',
  dependencies: ['store', 'servers', 'audit', 'changes', 'history', 'maintenance', 'devices'],
});
