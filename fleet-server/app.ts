/** The fleet server as a list of its parts, in the order in which they depend on each other. */
import { join } from 'node:path';
import formbody from '@fastify/formbody';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { brokerPlugin } from '#fleet-server/broker/plugin.ts';
import { changesPlugin } from '#fleet-server/changes/plugin.ts';
import { changesRoutes } from '#fleet-server/changes/routes.ts';
import { type Clock, systemClock } from '#fleet-server/clock.ts';
import { commandsPlugin } from '#fleet-server/commands/plugin.ts';
import { commandsRoutes } from '#fleet-server/commands/routes.ts';
import type { Configuration } from '#fleet-server/configuration.ts';
import { devicesPlugin } from '#fleet-server/devices/plugin.ts';
import { devicesRoutes } from '#fleet-server/devices/routes.ts';
import { routeUpward } from '#fleet-server/devices/upward-router.ts';
import { enrolmentRoutes } from '#fleet-server/enrolment/routes.ts';
import { healthPlugin } from '#fleet-server/health/plugin.ts';
import { healthRoutes } from '#fleet-server/health/routes.ts';
import { historyPlugin } from '#fleet-server/history/plugin.ts';
import { historyRoutes } from '#fleet-server/history/routes.ts';
import { installAnswers } from '#fleet-server/http/answers.ts';
import { dashboardPlugin } from '#fleet-server/http/dashboard.ts';
import { errorHandlerPlugin } from '#fleet-server/http/error-handler.ts';
import { openApiPlugin } from '#fleet-server/http/open-api.ts';
import { originCheckPlugin } from '#fleet-server/http/origin-check.ts';
import { securityHeadersPlugin } from '#fleet-server/http/security-headers.ts';
import { metricsRoutes } from '#fleet-server/metrics/routes.ts';
import { peoplePlugin } from '#fleet-server/people/plugin.ts';
import { sessionRoutes } from '#fleet-server/people/routes.ts';
import { relayPlugin } from '#fleet-server/relay/plugin.ts';
import { settingsPlugin } from '#fleet-server/settings/plugin.ts';
import { settingsRoutes } from '#fleet-server/settings/routes.ts';
import { storePlugin } from '#fleet-server/store/plugin.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { Store } from '#fleet-server/store/store.ts';

export type AppOptions = {
  readonly configuration: Configuration;
  /** Opened, and closed after the app, by whoever builds it. */
  readonly store: Store;
  readonly secrets: Secrets;
  readonly logger: NonNullable<FastifyServerOptions['logger']>;
  readonly clock?: Clock;
  /** Checks each answer against its schema; for tests. */
  readonly checkAnswers?: boolean;
  readonly dashboardDirectory?: string;
};

const maxBodyBytes = 64 * 1024;
const apiPrefix = '/api/v1';

/** Builds it; `ready()` or `listen()` starts it, `close()` stops it. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { configuration, store, secrets, clock = systemClock } = options;
  const isHttps = configuration.publicUrl?.startsWith('https:') === true;
  const app = Fastify({
    logger: options.logger,
    // Addresses hold tickets: requests are counted, and only failures are logged, by their route.
    disableRequestLogging: true,
    bodyLimit: maxBodyBytes,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
  });
  installAnswers(app, { checkAnswers: options.checkAnswers ?? false });

  await app.register(errorHandlerPlugin);
  await app.register(securityHeadersPlugin, { isHttps });
  await app.register(rateLimit, { global: false });
  await app.register(originCheckPlugin, { publicUrl: configuration.publicUrl });
  await app.register(openApiPlugin);

  await app.register(storePlugin, { store, secrets });
  await app.register(peoplePlugin, { clock, isHttps });
  await app.register(changesPlugin, { clock });
  await app.register(historyPlugin, { clock });
  await app.register(devicesPlugin, { clock });
  await app.register(commandsPlugin, { clock });
  await app.register(healthPlugin, { clock });
  await app.register(settingsPlugin, { clock, relay: { port: configuration.rtmpPort, application: 'live' } });

  await app.register(brokerPlugin, {
    port: configuration.mqttPort,
    host: configuration.httpHost,
    authenticate: (deviceId, credential) => app.devices.authenticate(deviceId, credential),
    handleUpward: (message) => routeUpward(app, message),
    onPreview: (deviceId, jpeg) => app.devices.onPreview(deviceId, jpeg),
    onConnection: (deviceId, state, reason) => app.devices.onConnection(deviceId, state, reason),
    onProblem: (deviceId, problem) => void app.history.appendProblem(deviceId, problem),
  });
  await app.register(formbody);
  await app.register(relayPlugin, {
    dataDirectory: configuration.dataDirectory,
    rtmpPort: configuration.rtmpPort,
    ...(configuration.publicUrl === null ? {} : { publicUrl: configuration.publicUrl }),
    isKnown: (deviceId) => app.devices.isKnown(deviceId),
    isStreamKeyRight: (deviceId, key) => app.devices.isStreamKeyRight(deviceId, key),
    setReception: (deviceId, reception) => app.devices.setReception(deviceId, reception),
    isViewer: async (request) => (await app.currentPerson(request)) !== null,
    hmac: (purpose, text) => secrets.hmac(purpose, text),
    onStateChange: () => app.changes.publish({ subject: 'relay' }),
  });

  await app.register(sessionRoutes, { prefix: apiPrefix });
  await app.register(devicesRoutes, { prefix: apiPrefix });
  await app.register(settingsRoutes, { prefix: apiPrefix });
  await app.register(commandsRoutes, { prefix: apiPrefix });
  await app.register(healthRoutes, { prefix: apiPrefix, clock });
  await app.register(historyRoutes, { prefix: apiPrefix });
  await app.register(enrolmentRoutes, { prefix: apiPrefix, clock });
  await app.register(changesRoutes, { prefix: apiPrefix, clock });
  await app.register(metricsRoutes);
  await app.register(dashboardPlugin, { directory: options.dashboardDirectory ?? join(import.meta.dirname, 'web', 'dist') });
  return app;
}
