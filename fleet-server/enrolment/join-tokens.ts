/** What lets new devices in: 256 random bits, stored as a keyed hash, with uses, an end and the group that they give. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { readTags, tagsInWords, writeTags } from '#fleet-server/devices/tags.ts';
import * as store from '#fleet-server/enrolment/join-tokens-store.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { Database, JoinTokensTable } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import type { JoinToken, JoinTokenRequest } from '#protocol/model/enrolment.ts';

export type JoinTokensOptions = { readonly database: Database; readonly secrets: Secrets; readonly clock: Clock; readonly audit: AuditLog };

/** `tags`: as `devices` has them. */
export type Redeemed = { readonly id: string; readonly group: string | null; readonly tags: string; readonly needsApproval: boolean };

const defaultUses = 1;
const defaultLifeS = 86_400;
const maxTokens = 1000;

export class JoinTokens {
  readonly #options: JoinTokensOptions;

  constructor(options: JoinTokensOptions) {
    this.#options = options;
  }

  /** The only answer that holds the token itself. */
  async create(request: JoinTokenRequest, createdBy: string): Promise<JoinToken & { readonly token: string }> {
    const { database, clock, audit } = this.#options;
    const token = randomBytes(32).toString('base64url');
    const createdAtMs = clock.nowMs();
    const row: JoinTokensTable = {
      id: randomUUID(),
      tokenHash: this.#hash(token),
      usesLeft: request.uses ?? defaultUses,
      expiresAtMs: createdAtMs + (request.expiresInS ?? defaultLifeS) * 1000,
      groupName: request.group ?? null,
      tags: writeTags(request.tags ?? []),
      needsApproval: request.approval === true ? 1 : 0,
      createdAtMs,
      createdBy,
    };
    await inTransaction(database, async (transaction) => {
      await store.pruneJoinTokens(transaction, createdAtMs);
      if ((await store.countJoinTokens(transaction)) >= maxTokens) {
        throw new FleetError('too-many', `Expected at most ${maxTokens} join tokens: delete some first.`);
      }
      await store.insertJoinToken(transaction, row);
      const changes = [
        { field: 'uses', before: null, after: String(row.usesLeft) },
        { field: 'group', before: null, after: row.groupName },
        { field: 'tags', before: null, after: tagsInWords(row.tags) },
        { field: 'approval', before: null, after: row.needsApproval === 1 ? 'of each device' : null },
        { field: 'expiresAt', before: null, after: timestamp(row.expiresAtMs) },
      ];
      await audit.append(transaction, { actor: createdBy, action: 'join-token-made', subject: row.id, changes });
    });
    return { ...toJoinToken(row), token };
  }

  /** Takes one use within the caller's transaction; answers what it gives. */
  async redeem(transaction: Database, token: string): Promise<Redeemed> {
    const row = await store.takeUse(transaction, this.#hash(token), this.#options.clock.nowMs());
    if (row === undefined) {
      throw new FleetError('join-token-refused', 'This join token is wrong, used up or too old: make a new one in the dashboard.');
    }
    return { id: row.id, group: row.groupName, tags: row.tags, needsApproval: row.needsApproval === 1 };
  }

  async list(): Promise<JoinToken[]> {
    const nowMs = this.#options.clock.nowMs();
    const rows = await store.listJoinTokens(this.#options.database);
    return rows.filter((row) => row.usesLeft > 0 && row.expiresAtMs > nowMs).map(toJoinToken);
  }

  async delete(id: string, actor: string): Promise<void> {
    const { database, audit } = this.#options;
    await inTransaction(database, async (transaction) => {
      if (!(await store.deleteJoinToken(transaction, id))) throw new FleetError('not-found', 'Expected the id of a join token.');
      await audit.append(transaction, { actor, action: 'join-token-removed', subject: id });
    });
  }

  #hash(token: string): string {
    return this.#options.secrets.hmac('join-token', token).toString('hex');
  }
}

function toJoinToken(row: JoinTokensTable): JoinToken {
  return {
    id: row.id,
    usesLeft: row.usesLeft,
    expiresAt: timestamp(row.expiresAtMs),
    group: row.groupName,
    tags: readTags(row.tags),
    approval: row.needsApproval === 1,
  };
}
