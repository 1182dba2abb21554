/**
 * Where an external broker asks this server about its clients: EMQX by its HTTP authenticator and authorizer, VerneMQ by its webhooks.
 *
 * INVARIANTS
 * - Everything is refused that is not allowed: a caller without the secret, a question that cannot be read and one at which this server fails get the
 *   refusal in the broker's own words with status 200, because EMQX takes any other status as "ask the next one".
 * - Neither the secret nor a credential is logged.
 * - Of a caller without the secret nothing is read but the head of its request.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { answerHook, type HookKnowledge, type HookQuestion, type HookVerdict } from '#fleet-server/broker/external/hook-decisions.ts';
import {
  type EmqxAnswer,
  emqxAnswer,
  readEmqxAuthorize,
  readEmqxConnect,
  readVerneMq,
  type VerneMqAnswer,
  verneMqAnswer,
} from '#fleet-server/broker/external/hook-formats.ts';
import { ProblemLog } from '#fleet-server/broker/problem-log.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { ExternalBrokerConfiguration } from '#fleet-server/configuration.ts';
import { problemAnswers, toFleetError } from '#fleet-server/http/answers.ts';
import { maxPacketBytes } from '#protocol/topics.ts';

export type HooksOptions = { readonly broker: ExternalBrokerConfiguration; readonly clock: Clock };

const tags = ['broker'];
const Body = Type.Unknown({ description: 'As the broker writes it' });
const EmqxReply = Type.Object({ result: Type.Enum(['allow', 'deny']) });
const VerneMqReply = Type.Object({ result: Type.Union([Type.Literal('ok'), Type.Object({ error: Type.Literal('not_allowed') })]) });
/** Some brokers can send no header of their own. */
const Query = Type.Object({ secret: Type.Optional(Type.String({ maxLength: 200, description: 'Where no header can be sent' })) });
/** VerneMQ sends what is published along, in base64; beside it names and a topic of 1 KiB each, in which JSON may take six bytes for one. */
const verneMqBodyBytes = Math.ceil(maxPacketBytes / 3) * 4 + 32 * 1024;
const refused: HookVerdict = { kind: 'refused', reason: 'expected a question in the broker’s documented form' };

export const hooksRoutes: FastifyPluginAsyncTypebox<HooksOptions> = async (app, { broker, clock }) => {
  if (broker.access.kind !== 'hooks') return;
  const { secret } = broker.access;
  const problems = new ProblemLog(app.log, clock);
  app.addHook('onReady', async () => problems.start());
  app.addHook('onClose', async () => problems.stop());

  const knowledge: HookKnowledge = {
    serverUsername: broker.address.username,
    isServerPassword: (password) => isSame(password, broker.address.password),
    isKnown: (deviceId) => app.devices.rights.mayConnect(deviceId),
    isCredentialRight: (deviceId, credential) => app.devices.rights.authenticate(deviceId, credential),
  };

  const letBrokerIn =
    (refusal: EmqxAnswer | VerneMqAnswer) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
      // Not yet checked against its schema: a name that comes twice makes a list.
      const { secret: inQuery } = request.query as { readonly secret?: unknown };
      const came = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? inQuery;
      if (typeof came === 'string' && isSame(came, secret)) return undefined;
      const message = 'expected the broker with FLEET_MQTT_HOOK_SECRET, got a caller without it';
      problems.add({ address: request.ip }, { code: 'credential-refused', message });
      return reply.code(200).send(refusal);
    };

  const answer = async (request: FastifyRequest, question: HookQuestion | undefined) => {
    if (question === undefined) {
      problems.add({ address: request.ip }, { code: 'wrong-shape', message: refused.reason });
      return refused;
    }
    await app.sharedDevices?.lookFor(question.clientId);
    const verdict = answerHook(question, knowledge);
    if (verdict.kind === 'refused') {
      const code = question.kind === 'connect' ? 'credential-refused' : 'topic-refused';
      const who = app.devices.isKnown(question.clientId) ? { deviceId: question.clientId } : { address: request.ip };
      problems.add(who, { code, message: `the MQTT broker asked about a ${question.kind}: ${verdict.reason}` });
    }
    return verdict;
  };

  const refuseWith =
    (refusal: EmqxAnswer | VerneMqAnswer) =>
    (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
      const error = toFleetError(thrown);
      if (error === undefined) request.log.error({ err: thrown, route: request.routeOptions.url }, 'a question of the MQTT broker failed');
      else problems.add({ address: request.ip }, { code: 'wrong-shape', message: error.message });
      return reply.code(200).send(refusal);
    };
  const forEmqx = { errorHandler: refuseWith(emqxAnswer(refused)), onRequest: letBrokerIn(emqxAnswer(refused)) };
  const forVerneMq = { errorHandler: refuseWith(verneMqAnswer(refused)), onRequest: letBrokerIn(verneMqAnswer(refused)) };

  app.post(
    '/broker-hooks/emqx/authenticate',
    {
      ...forEmqx,
      schema: {
        tags,
        summary: 'EMQX asks whether a client may connect',
        querystring: Query,
        body: Body,
        response: { 200: EmqxReply, ...problemAnswers },
      },
    },
    async (request) => emqxAnswer(await answer(request, readEmqxConnect(request.body))),
  );
  app.post(
    '/broker-hooks/emqx/authorize',
    {
      ...forEmqx,
      schema: {
        tags,
        summary: 'EMQX asks whether a client may use a topic',
        querystring: Query,
        body: Body,
        response: { 200: EmqxReply, ...problemAnswers },
      },
    },
    async (request) => emqxAnswer(await answer(request, readEmqxAuthorize(request.body))),
  );
  app.post(
    '/broker-hooks/vernemq',
    {
      ...forVerneMq,
      bodyLimit: verneMqBodyBytes,
      schema: {
        tags,
        summary: 'VerneMQ asks about a client',
        querystring: Query,
        body: Body,
        response: { 200: VerneMqReply, ...problemAnswers },
      },
    },
    async (request) => {
      const hook = request.headers['vernemq-hook'];
      return verneMqAnswer(await answer(request, readVerneMq(typeof hook === 'string' ? hook : '', request.body)));
    },
  );
};

/** In a time that does not depend on where they differ, whatever their lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
