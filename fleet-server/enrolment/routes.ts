/** Joining, and the tokens for it. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { Clock } from '#fleet-server/clock.ts';
import { approveDevice, rejectDevice } from '#fleet-server/enrolment/approval.ts';
import { decideAccess } from '#fleet-server/enrolment/block.ts';
import { enrol } from '#fleet-server/enrolment/enrol.ts';
import { JoinTokens } from '#fleet-server/enrolment/join-tokens.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { DeviceId } from '#protocol/identifiers.ts';
import {
  AccessDecision,
  ApprovalDecision,
  BoardMove,
  CopyAnswer,
  CopyRequest,
  EnrolmentAnswer,
  EnrolmentRequest,
  JoinToken,
  JoinTokenList,
  JoinTokenRequest,
} from '#protocol/model/enrolment.ts';

const tags = ['enrolment'];
const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });
const DeviceParams = Type.Object({ id: DeviceId });
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

  app.post(
    '/enrolments/copies',
    {
      schema: {
        tags,
        summary: 'A board that has another one’s credential on its card asks whether it is that device now',
        body: CopyRequest,
        response: { 200: CopyAnswer, ...problemAnswers },
      },
      config: { rateLimit: { max: attemptsPerMinute, timeWindow: '1 minute' } },
    },
    async (request) => app.copies.judge(request.body),
  );

  app.post(
    '/devices/:id/board',
    {
      schema: {
        tags,
        summary: 'Says that a device’s card was moved to another board, which is the device from now on',
        params: DeviceParams,
        body: BoardMove,
        response: { 204: Type.Null(), ...problemAnswers },
      },
      preHandler: app.requireRole('operator', 'enrolment'),
    },
    async (request, reply) => {
      await app.copies.move(request.params.id, request.body.boardId, request.actor);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/devices/:id/approval',
    {
      schema: {
        tags,
        summary: 'Lets a device in that waits for approval, or removes it',
        params: DeviceParams,
        body: ApprovalDecision,
        response: { 204: Type.Null(), ...problemAnswers },
      },
      preHandler: app.requireRole('operator', 'enrolment'),
    },
    async (request, reply) => {
      const decide = request.body.decision === 'approve' ? approveDevice : rejectDevice;
      await decide(app, request.params.id, request.actor);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/devices/:id/access',
    {
      schema: {
        tags,
        summary: 'Shuts a device out without removing it, or lets it in again',
        params: DeviceParams,
        body: AccessDecision,
        response: { 204: Type.Null(), ...problemAnswers },
      },
      preHandler: app.requireRole('operator', 'enrolment'),
    },
    async (request, reply) => {
      const { id } = request.params;
      await decideAccess(app, id, request.body.decision, { actor: request.actor, nowMs: clock.nowMs() });
      return reply.code(204).send(null);
    },
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
