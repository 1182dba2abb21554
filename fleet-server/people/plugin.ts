/** `app.people`, the session's cookie, and the two questions every route asks: who is it, and may they. */
import cookie from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { mayAct, People, sessionLifeMs } from '#fleet-server/people/people.ts';
import type { Person, Role } from '#protocol/model/person.ts';

declare module 'fastify' {
  interface FastifyInstance {
    people: People;
    /** A preHandler that lets through people who have at least this role. */
    requireRole(role: Role): preHandlerAsyncHookHandler;
    /** The signed-in person, or null; for routes that have other ways in as well. */
    currentPerson(request: FastifyRequest): Promise<Person | null>;
    setSessionCookie(reply: FastifyReply, token: string): void;
    clearSessionCookie(reply: FastifyReply): void;
  }
  interface FastifyRequest {
    /** Set behind `requireRole`. */
    person: Person | null;
  }
}

export type PeopleOptions = { readonly clock: Clock; readonly isHttps: boolean };

async function people(app: FastifyInstance, options: PeopleOptions): Promise<void> {
  await app.register(cookie);
  const instance = new People({ database: app.store.database, secrets: app.secrets, clock: options.clock });
  // The __Host- prefix makes browsers refuse the cookie from a neighbouring subdomain; it needs HTTPS.
  const cookieName = options.isHttps ? '__Host-msl-session' : 'msl-session';
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: options.isHttps } as const;

  const tokenOf = (request: FastifyRequest): string | undefined => {
    const token = request.cookies[cookieName];
    return token === undefined || token.length > 64 ? undefined : token;
  };
  app.decorate('people', instance);
  app.decorateRequest('person', null);
  app.decorate('currentPerson', async (request: FastifyRequest) => {
    const token = tokenOf(request);
    return token === undefined ? null : await instance.personOf(token);
  });
  app.decorate('requireRole', (role: Role) => async (request: FastifyRequest) => {
    const person = await app.currentPerson(request);
    if (person === null) throw new FleetError('not-signed-in', 'Sign in first: POST /api/v1/session with name and password.');
    if (!mayAct(person.role, role)) throw new FleetError('not-allowed', `Expected the role ${role} or above, got ${person.role}.`);
    request.person = person;
  });
  app.decorate('setSessionCookie', (reply: FastifyReply, token: string) => {
    reply.setCookie(cookieName, token, { ...attributes, maxAge: Math.floor(sessionLifeMs / 1000) });
  });
  app.decorate('clearSessionCookie', (reply: FastifyReply) => {
    reply.clearCookie(cookieName, attributes);
  });
  app.decorateRequest('sessionToken', undefined);
  app.addHook('onRequest', async (request) => {
    request.sessionToken = tokenOf(request);
  });
}

declare module 'fastify' {
  interface FastifyRequest {
    sessionToken: string | undefined;
  }
}

export const peoplePlugin = fastifyPlugin(people, { name: 'people', dependencies: ['store'] });
