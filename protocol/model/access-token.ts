/** Bearer tokens, with which programs use the API. */
import { type Static, Type } from 'typebox';
import { Timestamp } from '#protocol/identifiers.ts';

/** What a token may do. `read` is all that a viewer may see; the others change things. Nothing about people is among them. */
export const scopes = ['read', 'devices', 'settings', 'commands', 'enrolment'] as const;
export const Scope = Type.Enum([...scopes]);
export type Scope = Static<typeof Scope>;

export const AccessTokenRequest = Type.Object({
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$' }),
  scopes: Type.Array(Scope, { minItems: 1, maxItems: scopes.length, uniqueItems: true }),
  expiresInS: Type.Integer({ minimum: 60, maximum: 63_072_000 }),
});
export type AccessTokenRequest = Static<typeof AccessTokenRequest>;

export const AccessToken = Type.Object({
  id: Type.String(),
  name: Type.String(),
  /** Only in the answer that creates it. */
  token: Type.Optional(Type.String()),
  scopes: Type.Array(Scope),
  /** Whose it is: it may never do more than this person, and ends with them. */
  personName: Type.String(),
  createdAt: Timestamp,
  expiresAt: Timestamp,
  lastUsedAt: Type.Union([Timestamp, Type.Null()]),
});
export type AccessToken = Static<typeof AccessToken>;

export const AccessTokenList = Type.Object({ accessTokens: Type.Array(AccessToken) });
export type AccessTokenList = Static<typeof AccessTokenList>;
