/** `app.broker`, when it is one elsewhere. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { DeviceAccess } from '#fleet-server/broker/external/device-access.ts';
import { DynamicSecurity } from '#fleet-server/broker/external/dynamic-security.ts';
import { markPrefix } from '#fleet-server/broker/external/dynamic-security-plan.ts';
import { ExternalBroker, type ExternalBrokerHooks } from '#fleet-server/broker/external/external-broker.ts';
import { HookedAccess } from '#fleet-server/broker/external/hooked-access.ts';
// What the other plugin declares of the app.
import type {} from '#fleet-server/broker/plugin.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { ExternalBrokerConfiguration } from '#fleet-server/configuration.ts';

export type ExternalBrokerOptions = ExternalBrokerHooks & {
  readonly configuration: ExternalBrokerConfiguration;
  readonly clock: Clock;
  /** By the store. */
  isLetIn(deviceId: string): Promise<boolean>;
};

async function externalBroker(app: FastifyInstance, { configuration, clock, isLetIn, ...hooks }: ExternalBrokerOptions): Promise<void> {
  const { address, deviceUrl, caFile } = configuration;
  const shared = { caFile, clock, random: Math.random, log: app.log };
  const instance = new ExternalBroker({ ...shared, address, deviceUrl, hooks, access: accessOf() });
  app.decorate('broker', instance);
  app.addHook('onReady', async () => instance.start());
  app.addHook('preClose', () => instance.close());

  function accessOf(): DeviceAccess {
    const { access } = configuration;
    switch (access.kind) {
      case 'hooks':
        return new HookedAccess({ ...shared, address });
      case 'dynamic-security':
        return new DynamicSecurity({
          ...shared,
          control: { ...address, username: access.username, password: access.password },
          server: address,
          isKnown: isLetIn,
          markOf: (username, credential) => markPrefix + app.secrets.hmac('broker-mark', `${username} ${credential}`).toString('base64url'),
        });
      default:
        return access satisfies never;
    }
  }
}

export const externalBrokerPlugin = fastifyPlugin(externalBroker, { name: 'external-broker', dependencies: ['store'] });
