/** `app.people`, `app.accessTokens`, the session's cookie, and the two questions every route asks: who is it, and may they. */
import cookie from '@fastify/cookie';
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { AccessTokens, accessTokenPattern } from '#fleet-server/people/access-tokens.ts';
import { browserLifeS } from '#fleet-server/people/known-browsers.ts';
import { mayAct, People, type SignedIn, sessionLifeMs } from '#fleet-server/people/people.ts';
import { WriteAllowance } from '#fleet-server/people/write-allowance.ts';
import type { Scope } from '#protocol/model/access-token.ts';
import type { Person, Role } from '#protocol/model/person.ts';

declare module 'fastify' {
  interface FastifyInstance {
    people: People;
    accessTokens: AccessTokens;
    /**
     * A preHandler that lets through people who have at least this role, and their access tokens that have this scope. Without a scope
     * a route for viewers may be read with the scope `read`, and any other is for people alone.
     */
    requireRole(role: Role, scope?: Scope): preHandlerAsyncHookHandler;
    /** A preHandler that lets through whoever is signed in, and no access token. */
    requirePerson(): preHandlerAsyncHookHandler;
    /** The signed-in person, or null; for routes that have other ways in as well. */
    currentPerson(request: FastifyRequest): Promise<Person | null>;
    setSessionCookies(reply: FastifyReply, signedIn: SignedIn): void;
    clearSessionCookie(reply: FastifyReply): void;
  }
  interface FastifyRequest {
    /** Set behind `requireRole`. */
    person: Person | null;
    /** Who it is, for logs: the person, and the access token that was used. */
    actor: string;
  }
}

type Identity = { readonly person: Person; readonly actor: string; readonly scopes: readonly Scope[] | 'all' };

export type PeopleOptions = { readonly clock: Clock; readonly isHttps: boolean; readonly writesPerMinute: number };

async function people(app: FastifyInstance, options: PeopleOptions): Promise<void> {
  await app.register(cookie);
  const instance = new People({ database: app.store.database, secrets: app.secrets, clock: options.clock, audit: app.audit });
  const accessTokens = new AccessTokens({ database: app.store.database, secrets: app.secrets, clock: options.clock, audit: app.audit });
  const writes = new WriteAllowance({ clock: options.clock, perMinute: options.writesPerMinute });
  // The __Host- prefix makes browsers refuse the cookie from a neighbouring subdomain; it needs HTTPS.
  const prefix = options.isHttps ? '__Host-' : '';
  const cookieName = `${prefix}msl-session`;
  const browserCookieName = `${prefix}msl-browser`;
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: options.isHttps } as const;

  const tokenOf = (request: FastifyRequest): string | undefined => {
    const token = request.cookies[cookieName];
    return token === undefined || token.length > 64 ? undefined : token;
  };
  /** A request with a bearer token is that token's, whatever cookie comes along. */
  const identify = async (request: FastifyRequest): Promise<Identity | null> => {
    const bearer = bearerOf(request);
    if (bearer !== undefined) {
      const found = await accessTokens.bearerOf(bearer);
      return found === null ? null : { ...found, actor: `${found.person.name} with the token ${found.tokenName}` };
    }
    const token = tokenOf(request);
    const person = token === undefined ? null : await instance.personOf(token);
    return person === null ? null : { person, actor: person.name, scopes: 'all' };
  };
  app.decorate('people', instance);
  app.decorate('accessTokens', accessTokens);
  app.decorateRequest('person', null);
  app.decorateRequest('actor', '');
  app.decorate('currentPerson', async (request: FastifyRequest) => {
    const identity = await identify(request);
    return identity === null || !hasScope(identity, 'read') ? null : identity.person;
  });
  const guard = (role: Role, needed: Scope | null) => async (request: FastifyRequest) => {
    const identity = await identify(request);
    if (identity === null) throw new FleetError('not-signed-in', 'Sign in first: POST /api/v1/session with name and password.');
    const { person, actor } = identity;
    if (!mayAct(person.role, role)) throw new FleetError('not-allowed', `Expected the role ${role} or above, got ${person.role}.`);
    if (!hasScope(identity, needed)) {
      const expected =
        needed === null ? 'a person who is signed in, got an access token' : `an access token with the scope ${needed}, got one without`;
      throw new FleetError('not-allowed', `Expected ${expected}.`);
    }
    // A question that needs a body is asked with POST, and changes nothing: it asks for the scope to read.
    if (needed !== 'read' && isWriting(request)) writes.take(person.name);
    request.person = person;
    request.actor = actor;
  };
  app.decorate('requireRole', (role: Role, scope?: Scope) => guard(role, scope ?? (role === 'viewer' ? 'read' : null)));
  app.decorate('requirePerson', () => guard('viewer', null));
  app.decorate('setSessionCookies', (reply: FastifyReply, { token, browser }: SignedIn) => {
    reply.setCookie(cookieName, token, { ...attributes, maxAge: Math.floor(sessionLifeMs / 1000) });
    reply.setCookie(browserCookieName, browser, { ...attributes, maxAge: browserLifeS });
  });
  app.decorate('clearSessionCookie', (reply: FastifyReply) => {
    reply.clearCookie(cookieName, attributes);
  });
  app.decorateRequest('sessionToken', undefined);
  app.decorateRequest('browser', undefined);
  app.addHook('onRequest', async (request) => {
    request.sessionToken = tokenOf(request);
    request.browser = request.cookies[browserCookieName];
  });
}

declare module 'fastify' {
  interface FastifyRequest {
    sessionToken: string | undefined;
    /** What the browser says of itself: people/known-browsers.ts. */
    browser: string | undefined;
  }
}

function bearerOf(request: FastifyRequest): string | undefined {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return token !== undefined && accessTokenPattern.test(token) ? token : undefined;
}

function isWriting({ method }: FastifyRequest): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function hasScope({ scopes }: Identity, needed: Scope | null): boolean {
  return scopes === 'all' || (needed !== null && scopes.includes(needed));
}

export const peoplePlugin = fastifyPlugin(people, { name: 'people', dependencies: ['store', 'audit'] });
