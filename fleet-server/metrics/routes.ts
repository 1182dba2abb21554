/**
 * What machines ask of the server: is it alive, is it ready, how is it. Devices are named only at /metrics/devices, which needs an access
 * token; the rest needs none.
 */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { deviceMetrics } from '#fleet-server/metrics/device-metrics.ts';
import { countBy, histogram, type Metric, prometheusText } from '#fleet-server/metrics/prometheus.ts';
import { DeviceMatch } from '#protocol/model/device.ts';

const tags = ['operation'];
const textType = 'text/plain; version=0.0.4; charset=utf-8';
const severities = ['info', 'warning', 'critical'] as const;
const Status = Type.Object({ status: Type.Literal('ok') });
const presences = ['online', 'offline', 'unknown'] as const;
const streams = ['live', 'no-signal', 'starting', 'not-arriving', 'failed', 'elsewhere', 'stopped', 'unknown', 'offline'] as const;

export const metricsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/healthz', { schema: { tags, summary: 'The process answers', response: { 200: Status } } }, async () => ({
    status: 'ok' as const,
  }));

  app.get('/readyz', { schema: { tags, summary: 'It can do its work', response: { 200: Status, ...problemAnswers } } }, async () => {
    await app.store.check();
    const problem = app.broker.problem();
    if (problem !== null) throw new FleetError('not-ready', problem);
    return { status: 'ok' as const };
  });

  app.get(
    '/metrics',
    { schema: { tags, summary: 'Figures for Prometheus', produces: ['text/plain'], response: { 200: Type.String() } } },
    async (_request, reply) => {
      const text = prometheusText([...fleetMetrics(), ...serverMetrics(), ...(await alertMetrics())]);
      return reply.type(textType).serializer(String).send(text);
    },
  );

  app.get(
    '/metrics/devices',
    {
      schema: {
        tags,
        summary: 'Figures of each device that matches, for Prometheus',
        querystring: DeviceMatch,
        produces: ['text/plain'],
        response: { 200: Type.String(), ...problemAnswers },
      },
      preHandler: app.requireRole('viewer'),
    },
    async ({ query }, reply) => {
      const matching = new Set(app.deviceList.idsMatching(query));
      const known = [...app.devices.known()].filter(({ live }) => matching.has(live.id));
      const names = known.map(({ name, live: { id, group } }) => ({ id, name, groupName: group }));
      const text = prometheusText(
        deviceMetrics(
          known.map(({ live }) => live),
          names,
        ),
      );
      return reply.type(textType).serializer(String).send(text);
    },
  );

  /** None when the store does not answer: the other figures are wanted most then. */
  const alertMetrics = async (): Promise<Metric[]> => {
    try {
      const open = await app.alerts.countOpen();
      const samples = severities.map((severity) => ({ labels: { severity }, value: open.get(severity) ?? 0 }));
      return [{ name: 'makespacelive_alerts_open', help: 'Alerts that are not resolved.', type: 'gauge', samples }];
    } catch (error) {
      if (error instanceof FleetError) return [];
      throw error;
    }
  };

  const fleetMetrics = (): Metric[] => {
    const live = [...app.devices.list()];
    return [
      {
        name: 'makespacelive_devices',
        help: 'Devices by presence.',
        type: 'gauge',
        samples: countBy(
          live.map(({ presence }) => presence.state),
          presences,
          'presence',
        ),
      },
      {
        name: 'makespacelive_streams',
        help: 'Devices by the state of their stream.',
        type: 'gauge',
        samples: countBy(
          live.map(({ stream }) => stream.kind),
          streams,
          'state',
        ),
      },
    ];
  };

  const serverMetrics = (): Metric[] => {
    const { user, system } = process.cpuUsage();
    const broker = app.broker.figures();
    const one = (name: string, type: Metric['type'], help: string, value: number): Metric => ({ name, type, help, samples: [{ value }] });
    return [
      one('makespacelive_mqtt_connections', 'gauge', 'Devices that are connected to the broker.', broker.connections),
      one('makespacelive_mqtt_received_total', 'counter', 'Messages from devices.', broker.messagesReceived),
      one('makespacelive_mqtt_sent_total', 'counter', 'Messages to devices.', broker.messagesSent),
      one('makespacelive_mqtt_problems_total', 'counter', 'Messages and packets that were refused.', broker.problems),
      one(
        'makespacelive_audit_dropped_total',
        'counter',
        'Entries of the audit log that went before their year was over, because there were too many.',
        app.audit.dropped,
      ),
      histogram(
        'makespacelive_ingest_seconds',
        'From the arrival of a message to when it was dealt with, stored where it must last.',
        broker.ingest,
      ),
      histogram('makespacelive_store_seconds', 'How long the database takes for a statement.', app.store.latency.figures()),
      one(
        'makespacelive_http_connections',
        'gauge',
        'Connections to the HTTP port; WebSockets of devices are not among them.',
        app.httpSockets.open,
      ),
      one('makespacelive_http_refused_total', 'counter', 'Connections to the HTTP port that were one too many.', app.httpSockets.refused),
      one('makespacelive_change_listeners', 'gauge', 'Pages that listen to live changes.', app.changes.listenerCount()),
      one('process_cpu_seconds_total', 'counter', 'CPU time of this process.', (user + system) / 1e6),
      one('process_resident_memory_bytes', 'gauge', 'Resident memory of this process.', process.memoryUsage.rss()),
      one(
        'process_start_time_seconds',
        'gauge',
        'When this process started, since 1970.',
        Math.round(Date.now() / 1000 - process.uptime()),
      ),
    ];
  };
};
