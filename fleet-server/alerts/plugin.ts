/** `app.alerts` and `app.alertBook`: what is wrong now, and who is told. */
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { AlertBook } from '#fleet-server/alerts/alert-book.ts';
import { Alerts } from '#fleet-server/alerts/alerts.ts';
import { readFacts } from '#fleet-server/alerts/facts.ts';
import { tellTarget } from '#fleet-server/alerts/messenger.ts';
import type { Clock } from '#fleet-server/clock.ts';

declare module 'fastify' {
  interface FastifyInstance {
    alerts: Alerts;
    alertBook: AlertBook;
  }
}

export type AlertsPluginOptions = {
  readonly clock: Clock;
  readonly publicUrl: string | null;
  readonly isBrokerExternal: boolean;
  /** How a notice gets out; as people are told (messenger.ts) unless given. */
  readonly tell?: typeof tellTarget;
};

async function alerts(app: FastifyInstance, options: AlertsPluginOptions): Promise<void> {
  const { clock, publicUrl, isBrokerExternal, tell = tellTarget } = options;
  const { database } = app.store;
  const { secrets, audit } = app;
  const startedAtMs = clock.monotonicMs();
  const book = new AlertBook({ database, secrets, clock, audit, isBrokerExternal, tell });
  const instance = new Alerts({
    database,
    secrets,
    clock,
    log: app.log,
    audit,
    random: Math.random,
    publicUrl,
    isLeader: () => app.servers.isLeader(),
    facts: () => readFacts(app, clock.monotonicMs() - startedAtMs),
    tell,
    publishChange: (change) => app.changes.publish(change),
  });
  app.decorate('alerts', instance);
  app.decorate('alertBook', book);
  await book.ensureFirstRules();
  app.addHook('onReady', async () => instance.start());
  app.addHook('preClose', () => instance.stop());
}

export const alertsPlugin = fastifyPlugin(alerts, { name: 'alerts', dependencies: ['store', 'servers', 'audit', 'changes', 'devices'] });
