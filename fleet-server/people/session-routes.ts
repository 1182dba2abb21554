/** Signing in and out. */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { Credentials, PasswordChange, Person } from '#protocol/model/person.ts';

const tags = ['session'];
/** Sign-ins an address may try in a minute. */
const attemptsPerMinute = 20;

export const sessionRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/session',
    {
      schema: { tags, summary: 'Sign in', body: Credentials, response: { 200: Person, ...problemAnswers } },
      config: { rateLimit: { max: attemptsPerMinute, timeWindow: '1 minute' } },
    },
    async (request, reply) => {
      const signedIn = await app.people.signIn(request.body.name, request.body.password, request.browser);
      if (request.sessionToken !== undefined) await app.people.signOut(request.sessionToken);
      app.setSessionCookies(reply, signedIn);
      return signedIn.person;
    },
  );

  app.get(
    '/session',
    { schema: { tags, summary: 'Who is signed in', response: { 200: Person, ...problemAnswers } }, preHandler: app.requireRole('viewer') },
    async (request) => {
      if (request.person === null) throw new FleetError('not-signed-in', 'Sign in first.');
      return request.person;
    },
  );

  app.post(
    '/session/password',
    {
      schema: {
        tags,
        summary: 'Changes one’s own password; all other sessions end, access tokens stay',
        body: PasswordChange,
        response: { 200: Person, ...problemAnswers },
      },
      preHandler: app.requirePerson(),
      config: { rateLimit: { max: attemptsPerMinute, timeWindow: '1 minute' } },
    },
    async (request, reply) => {
      const signedIn = await app.people.changeOwnPassword(request.person?.name ?? '', request.body, request.browser);
      app.setSessionCookies(reply, signedIn);
      return signedIn.person;
    },
  );

  app.delete(
    '/session',
    { schema: { tags, summary: 'Sign out', response: { 204: Type.Null(), ...problemAnswers } } },
    async (request, reply) => {
      if (request.sessionToken !== undefined) await app.people.signOut(request.sessionToken);
      app.clearSessionCookie(reply);
      return reply.code(204).send(null);
    },
  );
};
