/** What machines ask of the server: is it alive, is it ready, how is it. No device is named here, so that no sign-in is needed. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { countBy, type Metric, prometheusText } from '#fleet-server/metrics/prometheus.ts';

const tags = ['operation'];
const Status = Type.Object({ status: Type.Literal('ok') });
const presences = ['online', 'offline', 'unknown'] as const;
const streams = ['live', 'no-signal', 'starting', 'not-arriving', 'failed', 'elsewhere', 'stopped', 'unknown', 'offline'] as const;

export const metricsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/healthz', { schema: { tags, summary: 'The process answers', response: { 200: Status } } }, async () => ({
    status: 'ok' as const,
  }));

  app.get('/readyz', { schema: { tags, summary: 'It can do its work', response: { 200: Status, ...problemAnswers } } }, async () => {
    await app.store.check();
    if (app.broker.port() === 0) throw new FleetError('not-ready', 'The broker does not listen yet.');
    return { status: 'ok' as const };
  });

  app.get(
    '/metrics',
    { schema: { tags, summary: 'Figures for Prometheus', produces: ['text/plain'], response: { 200: Type.String() } } },
    async (_request, reply) => {
      const text = prometheusText([...deviceMetrics(), ...serverMetrics()]);
      return reply.type('text/plain; version=0.0.4; charset=utf-8').serializer(String).send(text);
    },
  );

  const deviceMetrics = (): Metric[] => {
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
