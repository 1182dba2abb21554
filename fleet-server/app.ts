/** The fleet server as a list of its parts, in the order in which they depend on each other. */
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { registerApi } from '#fleet-server/api.ts';
import type { BrokerProblem, UpwardMessage } from '#fleet-server/broker/contract.ts';
import { externalBrokerPlugin } from '#fleet-server/broker/external/plugin.ts';
import { brokerPlugin } from '#fleet-server/broker/plugin.ts';
import { type Clock, systemClock } from '#fleet-server/clock.ts';
import type { Configuration } from '#fleet-server/configuration.ts';
import { cutDevice } from '#fleet-server/devices/cut-device.ts';
import { findDevice } from '#fleet-server/devices/devices-store.ts';
import { routeUpward } from '#fleet-server/devices/upward-router.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { createServer } from '#fleet-server/http/server.ts';
import { socketLimits } from '#fleet-server/http/socket-guard.ts';
import { clientAddress, trustOf } from '#fleet-server/http/trusted-proxies.ts';
import { relayPlugin } from '#fleet-server/relay/plugin.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { Store } from '#fleet-server/store/store.ts';
import type { TlsKeeper } from '#fleet-server/tls/tls-keeper.ts';
import { registerWatchdog } from '#fleet-server/watchdog/register.ts';
import type { PictureTopic } from '#protocol/envelope.ts';

export type AppOptions = {
  readonly configuration: Configuration;
  /** Opened, and closed after the app, by whoever builds it. */
  readonly store: Store;
  readonly secrets: Secrets;
  readonly logger: NonNullable<FastifyServerOptions['logger']>;
  readonly clock?: Clock;
  readonly tls?: TlsKeeper | null;
};

/** Builds it; `listen()` starts it, `close()` stops it. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { configuration, store, secrets, clock = systemClock, tls = null } = options;
  const isTrustedProxy = trustOf(configuration.trustedProxies);
  const limits = { ...socketLimits, ofAddress: configuration.connectionsOfAddress };
  const app = createServer({ logger: options.logger, checkAnswers: false, tls, isTrustedProxy, socketLimits: limits });
  if (tls !== null) {
    app.addHook('onReady', async () => tls.start(app.log));
    app.addHook('preClose', async () => tls.stop());
  }

  await registerApi(app, { configuration, store, secrets, clock });
  const hooks = {
    handleUpward: (message: UpwardMessage) => routeUpward(app, message),
    onPicture: (deviceId: string, name: PictureTopic, jpeg: Buffer) => app.devices.onPicture(deviceId, name, jpeg),
    onProblem: (deviceId: string, problem: BrokerProblem) => void app.history.appendProblem(deviceId, problem),
  };
  if (configuration.externalBroker === null) {
    await app.register(brokerPlugin, {
      ...hooks,
      port: configuration.mqttPort,
      host: configuration.httpHost,
      tls,
      addressOf: (remote, forwardedFor) => clientAddress(remote, forwardedFor, isTrustedProxy),
      onWebSocket: (socket) => app.httpSockets.release(socket),
      authenticate: (deviceId, credential) => {
        // Answered as "not now", so that the device tries again instead of believing that it was removed.
        if (app.sharedDevices?.mayHaveJoined(deviceId) === true) throw new FleetError('not-ready', 'It may have joined at another server.');
        return app.devices.rights.authenticate(deviceId, credential);
      },
      onConnection: (deviceId, state, reason) => {
        app.devices.onConnection(deviceId, state, reason);
        // It was shut out or removed between its credential and this.
        if (state === 'connected' && !app.devices.rights.mayConnect(deviceId)) app.broker.disconnect(deviceId);
      },
    });
  } else {
    await app.register(externalBrokerPlugin, {
      ...hooks,
      clock,
      configuration: configuration.externalBroker,
      isLetIn: async (deviceId) => (await findDevice(store.database, deviceId))?.blockedSinceMs === null,
      isOnline: (deviceId) => app.devices.get(deviceId)?.presence.state === 'online',
      onlineCount: () => app.devices.onlineCount(),
      onWire: (state) => app.devices.onWire(state),
    });
  }
  await app.register(relayPlugin, {
    dataDirectory: configuration.dataDirectory,
    rtmpPort: configuration.rtmpPort,
    publicRtmpPort: configuration.publicRtmpPort,
    ...(configuration.publicUrl === null ? {} : { publicUrl: configuration.publicUrl }),
    isKnown: (deviceId) => app.devices.isKnown(deviceId),
    isStreamKeyRight: (deviceId, key) => app.devices.rights.isStreamKeyRight(deviceId, key),
    setReception: (deviceId, reception) => {
      app.devices.setReception(deviceId, reception);
      // It was let in just before it was shut out or removed.
      if (reception !== null && !app.devices.rights.mayStream(deviceId)) cutDevice(app, deviceId);
    },
    isViewer: async (request) => (await app.currentPerson(request)) !== null,
    placeOf: (deviceId) => app.sharedDevices?.placeOfReception(deviceId) ?? null,
    hmac: (purpose, text) => secrets.hmac(purpose, text),
    onStateChange: () => {
      app.relays.ownChanged();
      app.changes.publish({ subject: 'relay' });
    },
  });
  await registerWatchdog(app, clock);
  return app;
}
