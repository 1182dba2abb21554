/** Joining, and the tokens for it. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { Clock } from '#fleet-server/clock.ts';
import { enrol } from '#fleet-server/enrolment/enrol.ts';
import { JoinTokens } from '#fleet-server/enrolment/join-tokens.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { EnrolmentAnswer, EnrolmentRequest, JoinToken, JoinTokenList, JoinTokenRequest } from '#protocol/model/enrolment.ts';

const tags = ['enrolment'];
const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });
/** Attempts to join that an address may make in a minute: a room full of new devices behind one router fits. */
const attemptsPerMinute = 60;

export const enrolmentRoutes: FastifyPluginAsyncTypebox<{ readonly clock: Clock }> = async (app, { clock }) => {
  const joinTokens = new JoinTokens({ database: app.store.database, secrets: app.secrets, clock, audit: app.audit });
  const admin = app.requireRole('admin', 'enrolment');

  app.post(
    '/enrolments',
    {
      schema: { tags, summary: 'A device joins', body: EnrolmentRequest, response: { 201: EnrolmentAnswer, ...problemAnswers } },
      config: { rateLimit: { max: attemptsPerMinute, timeWindow: '1 minute' } },
    },
    async (request, reply) => reply.code(201).send(await enrol(app, joinTokens, clock, request.body)),
  );

  app.get(
    '/join-tokens',
    {
      schema: { tags, summary: 'Join tokens that can still be used', response: { 200: JoinTokenList, ...problemAnswers } },
      preHandler: admin,
    },
    async () => ({ joinTokens: await joinTokens.list() }),
  );
  app.post(
    '/join-tokens',
    {
      schema: {
        tags,
        summary: 'Makes a join token; it is shown this once',
        body: JoinTokenRequest,
        response: { 201: JoinToken, ...problemAnswers },
      },
      preHandler: admin,
    },
    async (request, reply) => {
      const made = await joinTokens.create(request.body, request.actor);
      app.changes.publish({ subject: 'join-tokens' });
      return reply.code(201).send(made);
    },
  );
  app.delete(
    '/join-tokens/:id',
    {
      schema: { tags, summary: 'Takes a join token back', params: Params, response: { 204: Type.Null(), ...problemAnswers } },
      preHandler: admin,
    },
    async (request, reply) => {
      await joinTokens.delete(request.params.id, request.actor);
      app.changes.publish({ subject: 'join-tokens' });
      return reply.code(204).send(null);
    },
  );
};
