/** Access tokens: each person has their own; an admin sees and removes everybody's. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { AccessToken, AccessTokenList, AccessTokenRequest } from '#protocol/model/access-token.ts';

const tags = ['access tokens'];
const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });

export const accessTokensRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const person = app.requirePerson();
  /** Null: everybody's. */
  const owner = (request: FastifyRequest) => (request.person?.role === 'admin' ? null : (request.person?.name ?? ''));

  app.get(
    '/access-tokens',
    {
      schema: { tags, summary: 'Access tokens that are still valid', response: { 200: AccessTokenList, ...problemAnswers } },
      preHandler: person,
    },
    async (request) => ({ accessTokens: await app.accessTokens.list(owner(request)) }),
  );
  app.post(
    '/access-tokens',
    {
      schema: {
        tags,
        summary: 'Makes an access token for a program; it is shown this once',
        body: AccessTokenRequest,
        response: { 201: AccessToken, ...problemAnswers },
      },
      preHandler: person,
    },
    async (request, reply) => {
      const made = await app.accessTokens.create(request.body, request.person?.name ?? '');
      app.changes.publish({ subject: 'people' });
      return reply.code(201).send(made);
    },
  );
  app.delete(
    '/access-tokens/:id',
    {
      schema: { tags, summary: 'Ends an access token', params: Params, response: { 204: Type.Null(), ...problemAnswers } },
      preHandler: person,
    },
    async (request, reply) => {
      await app.accessTokens.remove(request.params.id, owner(request), request.actor);
      app.changes.publish({ subject: 'people' });
      return reply.code(204).send(null);
    },
  );
};
