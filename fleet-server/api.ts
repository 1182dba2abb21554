/** All of the fleet server but what talks to devices and to the relay: it expects `app.broker` and `app.relay` to be there when it is used. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import type { tellTarget } from '#fleet-server/alerts/messenger.ts';
import { alertsPlugin } from '#fleet-server/alerts/plugin.ts';
import { alertsRoutes } from '#fleet-server/alerts/routes.ts';
import { auditPlugin } from '#fleet-server/audit/plugin.ts';
import { auditRoutes } from '#fleet-server/audit/routes.ts';
import { connectionRoutes } from '#fleet-server/broker/connection-routes.ts';
import { hooksRoutes } from '#fleet-server/broker/external/hooks-routes.ts';
import { changesPlugin } from '#fleet-server/changes/plugin.ts';
import { changesRoutes } from '#fleet-server/changes/routes.ts';
import type { Clock } from '#fleet-server/clock.ts';
import { commandsPlugin } from '#fleet-server/commands/plugin.ts';
import { commandsRoutes } from '#fleet-server/commands/routes.ts';
import type { Configuration } from '#fleet-server/configuration.ts';
import { deviceListPlugin } from '#fleet-server/devices/list-plugin.ts';
import { devicesListRoutes } from '#fleet-server/devices/list-routes.ts';
import { picturesRoutes } from '#fleet-server/devices/pictures-routes.ts';
import { devicesPlugin } from '#fleet-server/devices/plugin.ts';
import { devicesRoutes } from '#fleet-server/devices/routes.ts';
import { enrolmentPlugin } from '#fleet-server/enrolment/plugin.ts';
import { enrolmentRoutes } from '#fleet-server/enrolment/routes.ts';
import { groupsPlugin } from '#fleet-server/groups/plugin.ts';
import { groupsRoutes } from '#fleet-server/groups/routes.ts';
import { healthPlugin } from '#fleet-server/health/plugin.ts';
import { healthRoutes } from '#fleet-server/health/routes.ts';
import { historyPlugin } from '#fleet-server/history/plugin.ts';
import { historyRoutes } from '#fleet-server/history/routes.ts';
import { dashboardPlugin } from '#fleet-server/http/dashboard.ts';
import { errorHandlerPlugin } from '#fleet-server/http/error-handler.ts';
import { openApiPlugin } from '#fleet-server/http/open-api.ts';
import { originCheckPlugin } from '#fleet-server/http/origin-check.ts';
import { securityHeadersPlugin } from '#fleet-server/http/security-headers.ts';
import { dashboardDirectory } from '#fleet-server/installation.ts';
import { logsPlugin } from '#fleet-server/logs/plugin.ts';
import { logsRoutes } from '#fleet-server/logs/routes.ts';
import { maintenancePlugin } from '#fleet-server/maintenance/plugin.ts';
import { maintenanceRoutes } from '#fleet-server/maintenance/routes.ts';
import { metricsRoutes } from '#fleet-server/metrics/routes.ts';
import { accessTokensRoutes } from '#fleet-server/people/access-tokens-routes.ts';
import { peopleRoutes } from '#fleet-server/people/people-routes.ts';
import { peoplePlugin } from '#fleet-server/people/plugin.ts';
import { sessionRoutes } from '#fleet-server/people/session-routes.ts';
import { rolloutsPlugin } from '#fleet-server/rollouts/plugin.ts';
import { rolloutsRoutes } from '#fleet-server/rollouts/routes.ts';
import { serversPlugin } from '#fleet-server/servers/plugin.ts';
import { settingsPlugin } from '#fleet-server/settings/plugin.ts';
import { settingsRoutes } from '#fleet-server/settings/routes.ts';
import { storePlugin } from '#fleet-server/store/plugin.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { Store } from '#fleet-server/store/store.ts';
import { watchdogPoliciesPlugin } from '#fleet-server/watchdog/policies-plugin.ts';
import { watchdogRoutes } from '#fleet-server/watchdog/routes.ts';

export type ApiOptions = {
  readonly configuration: Pick<
    Configuration,
    'publicUrl' | 'rtmpPort' | 'publicRtmpPort' | 'databaseUrl' | 'serverUrl' | 'tls' | 'externalBroker' | 'writesPerMinute'
  >;
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Of the built dashboard; its own place unless told. */
  readonly dashboardDirectory?: string;
  /** How notices of alerts get out. */
  readonly tell?: typeof tellTarget;
};

const apiPrefix = '/api/v1';

export async function registerApi(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { configuration, clock } = options;

  await app.register(errorHandlerPlugin);
  await app.register(securityHeadersPlugin, { isHttps: isHttps(configuration) });
  await app.register(rateLimit, { global: false });
  await app.register(originCheckPlugin, { publicUrl: configuration.publicUrl });
  await app.register(openApiPlugin);

  await registerDomains(app, options);

  await app.register(sessionRoutes, { prefix: apiPrefix });
  await app.register(peopleRoutes, { prefix: apiPrefix });
  await app.register(accessTokensRoutes, { prefix: apiPrefix });
  await app.register(auditRoutes, { prefix: apiPrefix });
  await app.register(devicesListRoutes, { prefix: apiPrefix });
  await app.register(devicesRoutes, { prefix: apiPrefix });
  await app.register(picturesRoutes, { prefix: apiPrefix, clock });
  await app.register(groupsRoutes, { prefix: apiPrefix, clock });
  await app.register(settingsRoutes, { prefix: apiPrefix });
  await app.register(rolloutsRoutes, { prefix: apiPrefix });
  await app.register(commandsRoutes, { prefix: apiPrefix });
  await app.register(logsRoutes, { prefix: apiPrefix, clock });
  await app.register(healthRoutes, { prefix: apiPrefix, clock });
  await app.register(historyRoutes, { prefix: apiPrefix });
  await app.register(maintenanceRoutes, { prefix: apiPrefix });
  await app.register(watchdogRoutes, { prefix: apiPrefix });
  await app.register(alertsRoutes, { prefix: apiPrefix });
  await app.register(enrolmentRoutes, { prefix: apiPrefix, clock });
  await app.register(connectionRoutes, { prefix: apiPrefix, clock });
  const { externalBroker } = configuration;
  if (externalBroker !== null) await app.register(hooksRoutes, { prefix: apiPrefix, broker: externalBroker, clock });
  await app.register(changesRoutes, { prefix: apiPrefix, clock });
  await app.register(metricsRoutes);
  await app.register(dashboardPlugin, { directory: options.dashboardDirectory ?? dashboardDirectory });
}

function isHttps({ tls, publicUrl }: ApiOptions['configuration']): boolean {
  return tls !== null || publicUrl?.startsWith('https:') === true;
}

/** What the routes stand on, without a door to any of it. */
export async function registerDomains(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { configuration, store, secrets, clock, tell } = options;
  await app.register(storePlugin, { store, secrets });
  await app.register(serversPlugin, { clock, databaseUrl: configuration.databaseUrl, serverUrl: configuration.serverUrl });
  await app.register(auditPlugin, { clock });
  await app.register(peoplePlugin, { clock, isHttps: isHttps(configuration), writesPerMinute: configuration.writesPerMinute });
  await app.register(changesPlugin, { clock });
  await app.register(historyPlugin, { clock });
  await app.register(maintenancePlugin, { clock });
  await app.register(watchdogPoliciesPlugin, { clock });
  const place = { url: configuration.serverUrl, rtmpPort: configuration.rtmpPort };
  const isBrokerExternal = configuration.externalBroker !== null;
  await app.register(devicesPlugin, { clock, place, isWireShared: isBrokerExternal });
  await app.register(deviceListPlugin, { clock });
  await app.register(groupsPlugin);
  await app.register(commandsPlugin, { clock });
  await app.register(enrolmentPlugin, { clock });
  await app.register(logsPlugin, { clock });
  await app.register(healthPlugin, { clock });
  await app.register(settingsPlugin, { clock, relay: { port: configuration.publicRtmpPort, application: 'live' } });
  await app.register(rolloutsPlugin, { clock });
  const alerts = { clock, publicUrl: configuration.publicUrl, isBrokerExternal };
  await app.register(alertsPlugin, tell === undefined ? alerts : { ...alerts, tell });
}
