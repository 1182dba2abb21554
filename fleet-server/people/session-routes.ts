/** Signing in and out. */
import { normalizeIP } from '@fastify/rate-limit';
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { FleetError } from '#fleet-server/errors.ts';
import { problemAnswers } from '#fleet-server/http/answers.ts';
import { Credentials, PasswordChange, Person } from '#protocol/model/person.ts';

const tags = ['session'];
/**
 * Passwords that may be tried in a minute from one address. In all browsers together in which a person has signed in before there are as
 * many more for that person: whoever uses up those of a venue's address keeps them out nowhere, and many such browsers give no more tries.
 */
const attemptsPerMinute = 20;

export const sessionRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const known = (name: string) => `in known browsers of ${name}`;
  const keyOfSignIn = ({ ip, body, browser }: FastifyRequest): string => {
    // Not yet checked against its schema.
    const { name } = (body ?? {}) as { readonly name?: unknown };
    return typeof name === 'string' && app.people.isKnownBrowser(name, browser) ? known(name) : normalizeIP(ip);
  };
  /** Whoever has come so far is signed in, so no address matters; who has stolen a session alone does not use up the owner's. */
  const keyOfPasswordChange = ({ person, browser }: FastifyRequest): string => {
    const name = person?.name ?? '';
    return app.people.isKnownBrowser(name, browser) ? known(name) : name;
  };

  app.post(
    '/session',
    {
      schema: { tags, summary: 'Sign in', body: Credentials, response: { 200: Person, ...problemAnswers } },
      config: { rateLimit: { max: attemptsPerMinute, timeWindow: '1 minute', hook: 'preValidation', keyGenerator: keyOfSignIn } },
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
      config: { rateLimit: { max: attemptsPerMinute, timeWindow: '1 minute', hook: 'preHandler', keyGenerator: keyOfPasswordChange } },
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
