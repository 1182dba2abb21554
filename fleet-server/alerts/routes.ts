/** Alerts, and the rules and channels behind them. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import {
  Alert,
  AlertChannel,
  AlertChannelList,
  AlertChannelRequest,
  AlertList,
  AlertRule,
  AlertRuleList,
  AlertRuleRequest,
} from '#protocol/model/alert.ts';

const tags = ['alerts'];
const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });
const defaultLimit = 100;
const ListQuery = Type.Object({
  resolved: Type.Optional(Type.Boolean({ description: 'Only those that are over, or only those that are not' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: defaultLimit })),
  after: Type.Optional(
    Type.String({ pattern: '^[0-9]{1,15}/[A-Za-z0-9-]{1,64}$', description: 'The `next` of the page before, with the same `resolved`' }),
  ),
});
/** Tests that somebody may ask for in a minute: each goes out to somebody. */
const testsPerMinute = 10;
const nothing = { 204: Type.Null(), ...problemAnswers };

export const alertsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const viewer = app.requireRole('viewer');
  const operator = app.requireRole('operator', 'devices');
  const admin = app.requireRole('admin');
  const changed = () => app.changes.publish({ subject: 'alerts' });

  app.get(
    '/alerts',
    {
      schema: {
        tags,
        summary: 'Alerts, newest first, a page at a time',
        querystring: ListQuery,
        response: { 200: AlertList, ...problemAnswers },
      },
      preHandler: viewer,
    },
    async ({ query: { resolved = null, limit = defaultLimit, after } }) => app.alerts.page({ isResolved: resolved, limit, after }),
  );
  app.post(
    '/alerts/:id/acknowledge',
    {
      schema: { tags, summary: 'Says that somebody looks after it', params: Params, response: { 200: Alert, ...problemAnswers } },
      preHandler: operator,
    },
    async (request) => {
      const alert = await app.alerts.acknowledge(request.params.id, request.actor);
      if (alert === null) throw new FleetError('not-found', 'Expected the id of an alert that is not over.');
      return alert;
    },
  );

  app.get(
    '/alert-rules',
    { schema: { tags, summary: 'What is watched for', response: { 200: AlertRuleList, ...problemAnswers } }, preHandler: viewer },
    async () => ({ rules: await app.alertBook.rules() }),
  );
  app.post(
    '/alert-rules',
    {
      schema: { tags, summary: 'Adds a rule', body: AlertRuleRequest, response: { 201: AlertRule, ...problemAnswers } },
      preHandler: admin,
    },
    async (request, reply) => {
      const rule = await app.alertBook.addRule(request.body, request.actor);
      changed();
      return reply.code(201).send(rule);
    },
  );
  app.put(
    '/alert-rules/:id',
    {
      schema: { tags, summary: 'Replaces a rule', params: Params, body: AlertRuleRequest, response: { 200: AlertRule, ...problemAnswers } },
      preHandler: admin,
    },
    async (request) => {
      const rule = await app.alertBook.changeRule(request.params.id, request.body, request.actor);
      changed();
      return rule;
    },
  );
  app.delete(
    '/alert-rules/:id',
    { schema: { tags, summary: 'Removes a rule', params: Params, response: nothing }, preHandler: admin },
    async (request, reply) => {
      await app.alertBook.removeRule(request.params.id, request.actor);
      changed();
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/alert-channels',
    { schema: { tags, summary: 'Who is told, and how', response: { 200: AlertChannelList, ...problemAnswers } }, preHandler: admin },
    async () => ({ channels: await app.alertBook.channels() }),
  );
  app.post(
    '/alert-channels',
    {
      schema: { tags, summary: 'Adds a channel', body: AlertChannelRequest, response: { 201: AlertChannel, ...problemAnswers } },
      preHandler: admin,
    },
    async (request, reply) => {
      const channel = await app.alertBook.addChannel(request.body, request.actor);
      changed();
      return reply.code(201).send(channel);
    },
  );
  app.put(
    '/alert-channels/:id',
    {
      schema: {
        tags,
        summary:
          'Replaces a channel; an address as it is shown and a secret that is left out stay, the secret as long as scheme, host and port do',
        params: Params,
        body: AlertChannelRequest,
        response: { 200: AlertChannel, ...problemAnswers },
      },
      preHandler: admin,
    },
    async (request) => {
      const channel = await app.alertBook.changeChannel(request.params.id, request.body, request.actor);
      changed();
      return channel;
    },
  );
  app.delete(
    '/alert-channels/:id',
    { schema: { tags, summary: 'Removes a channel', params: Params, response: nothing }, preHandler: admin },
    async (request, reply) => {
      await app.alertBook.removeChannel(request.params.id, request.actor);
      changed();
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/alert-channels/:id/test',
    {
      schema: { tags, summary: 'Tells a test there, now', params: Params, response: nothing },
      preHandler: admin,
      config: { rateLimit: { max: testsPerMinute, timeWindow: '1 minute' } },
    },
    async (request, reply) => {
      await app.alertBook.test(request.params.id);
      return reply.code(204).send(null);
    },
  );
};
