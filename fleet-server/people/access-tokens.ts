/**
 * Bearer tokens for programs.
 *
 * INVARIANTS
 * - A token is 256 random bits; the store keeps only its keyed hash.
 * - It may do what its scopes name and its person may do at that moment, and no more; it ends with the person.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import * as store from '#fleet-server/people/access-tokens-store.ts';
import { toRole } from '#fleet-server/people/people.ts';
import { findPerson } from '#fleet-server/people/people-store.ts';
import type { AccessTokensTable, Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { unlessFull } from '#fleet-server/store/store-errors.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { type AccessToken, type AccessTokenRequest, type Scope, scopes } from '#protocol/model/access-token.ts';
import type { Person } from '#protocol/model/person.ts';

export type Bearer = { readonly person: Person; readonly tokenName: string; readonly scopes: readonly Scope[] };

export type AccessTokensOptions = {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly audit: AuditLog;
};

/** Recognisable for those who look for leaked secrets. */
const prefix = 'msl_';
export const accessTokenPattern = /^msl_[\w-]{43}$/;
const maxPerPerson = 50;
const touchMs = 60_000;

export class AccessTokens {
  readonly #options: AccessTokensOptions;

  constructor(options: AccessTokensOptions) {
    this.#options = options;
  }

  /** The only answer that holds the token itself. */
  async create(request: AccessTokenRequest, personName: string): Promise<AccessToken> {
    const { database, clock, audit } = this.#options;
    const token = prefix + randomBytes(32).toString('base64url');
    const createdAtMs = clock.nowMs();
    const row: AccessTokensTable = {
      id: randomUUID(),
      name: request.name,
      tokenHash: this.#hash(token),
      personName,
      scopes: request.scopes.join(' '),
      createdAtMs,
      expiresAtMs: createdAtMs + request.expiresInS * 1000,
      lastUsedAtMs: null,
    };
    await inTransaction(database, async (transaction) => {
      if ((await findPerson(transaction, personName)) === undefined) {
        throw new FleetError(
          'not-signed-in',
          `Expected an access token for somebody who is here, got ${personName}, who was removed meanwhile.`,
        );
      }
      await store.pruneAccessTokens(transaction, createdAtMs);
      if ((await store.countAccessTokens(transaction, personName)) >= maxPerPerson) {
        throw new FleetError('too-many', `Expected at most ${maxPerPerson} access tokens of one person: remove some first.`);
      }
      await store.insertAccessToken(transaction, row);
      const changes = [
        { field: 'scopes', before: null, after: row.scopes },
        { field: 'expiresAt', before: null, after: timestamp(row.expiresAtMs) },
      ];
      await audit.append(transaction, { actor: personName, action: 'token-made', subject: row.name, changes });
    });
    return { ...toAccessToken(row), token };
  }

  /** `personName` null: everybody's. */
  async list(personName: string | null): Promise<AccessToken[]> {
    const nowMs = this.#options.clock.nowMs();
    const rows = await store.listAccessTokens(this.#options.database, personName);
    return rows.filter(({ expiresAtMs }) => expiresAtMs > nowMs).map(toAccessToken);
  }

  /** `ownerName` null: whoever's it is. */
  async remove(id: string, ownerName: string | null, actor: string): Promise<void> {
    const { database, audit } = this.#options;
    await inTransaction(database, async (transaction) => {
      const gone = await store.takeAccessToken(transaction, id, ownerName);
      if (gone === undefined) throw new FleetError('not-found', 'Expected the id of an access token.');
      await audit.append(transaction, { actor, action: 'token-removed', subject: gone.name });
    });
  }

  async bearerOf(token: string): Promise<Bearer | null> {
    const { database, clock } = this.#options;
    const row = await store.findAccessToken(database, this.#hash(token));
    const nowMs = clock.nowMs();
    if (row === undefined || row.expiresAtMs <= nowMs) return null;
    if (row.lastUsedAtMs === null || nowMs - row.lastUsedAtMs > touchMs) await unlessFull(store.touchAccessToken(database, row.id, nowMs));
    return { person: { name: row.personName, role: toRole(row.role) }, tokenName: row.name, scopes: toScopes(row.scopes) };
  }

  #hash(token: string): string {
    return this.#options.secrets.hmac('access-token', token).toString('hex');
  }
}

function toScopes(text: string): Scope[] {
  return text.split(' ').flatMap((word) => scopes.filter((scope) => scope === word));
}

function toAccessToken(row: AccessTokensTable): AccessToken {
  return {
    id: row.id,
    name: row.name,
    scopes: toScopes(row.scopes),
    personName: row.personName,
    createdAt: timestamp(row.createdAtMs),
    expiresAt: timestamp(row.expiresAtMs),
    lastUsedAt: row.lastUsedAtMs === null ? null : timestamp(row.lastUsedAtMs),
  };
}
