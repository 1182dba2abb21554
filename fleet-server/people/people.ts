/**
 * Who may do what.
 *
 * INVARIANTS
 * - A session's token is 256 random bits; the store keeps only its keyed hash.
 * - A refused sign-in never says which of name and password was wrong, and takes as long for either.
 * - A session ends 12 hours after its last use and 14 days after it began, whichever comes first.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { type AttemptLimit, createAttemptLimit } from '#fleet-server/people/attempt-limit.ts';
import { createPasswords, makePassword, type Passwords } from '#fleet-server/people/passwords.ts';
import * as store from '#fleet-server/people/people-store.ts';
import type { Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import { type Person, type Role, roles } from '#protocol/model/person.ts';

export const firstPersonName = 'admin';
export const sessionLifeMs = 14 * 24 * 3_600_000;
const sessionIdleMs = 12 * 3_600_000;
const sessionTouchMs = 60_000;
const maxSessionsPerPerson = 20;

export type SignedIn = { readonly person: Person; readonly token: string };

export class People {
  readonly #database: Database;
  readonly #secrets: Secrets;
  readonly #clock: Clock;
  readonly #passwords: Passwords;
  readonly #attempts: AttemptLimit;

  constructor(options: { readonly database: Database; readonly secrets: Secrets; readonly clock: Clock }) {
    this.#database = options.database;
    this.#secrets = options.secrets;
    this.#clock = options.clock;
    this.#passwords = createPasswords();
    this.#attempts = createAttemptLimit({ clock: options.clock });
  }

  /** On a store without people: makes the first one. Answers the password if it was made here, to be shown once. */
  async ensureFirstPerson(givenPassword: string | null): Promise<string | null> {
    if ((await store.countPeople(this.#database)) > 0) return null;
    const password = givenPassword ?? makePassword();
    const passwordHash = await this.#passwords.hash(password);
    const isNew = await store.insertPerson(this.#database, {
      name: firstPersonName,
      role: 'admin',
      passwordHash,
      createdAtMs: this.#clock.nowMs(),
    });
    return isNew && givenPassword === null ? password : null;
  }

  /** Gives the first person a new password and ends their sessions; makes them if they are not there. */
  async resetFirstPerson(givenPassword: string | null): Promise<string> {
    const password = givenPassword ?? makePassword();
    const passwordHash = await this.#passwords.hash(password);
    const person = { name: firstPersonName, role: 'admin', passwordHash, createdAtMs: this.#clock.nowMs() };
    await inTransaction(this.#database, async (transaction) => {
      if (await store.insertPerson(transaction, person)) return;
      await store.setPasswordHash(transaction, firstPersonName, passwordHash);
      await store.deleteSessionsOf(transaction, firstPersonName);
    });
    return password;
  }

  async signIn(name: string, password: string): Promise<SignedIn> {
    if (!this.#attempts.mayTry(name)) {
      throw new FleetError('too-many', 'Too many refused sign-ins under this name. Wait five minutes and try again.');
    }
    const row = await store.findPerson(this.#database, name);
    if (!(await this.#passwords.verify(password, row?.passwordHash ?? null)) || row === undefined) {
      this.#attempts.failed(name);
      throw new FleetError('sign-in-refused', 'Name or password is wrong.');
    }
    this.#attempts.succeeded(name);
    const token = randomBytes(32).toString('base64url');
    const nowMs = this.#clock.nowMs();
    await inTransaction(this.#database, async (transaction) => {
      await store.insertSession(transaction, {
        tokenHash: this.#hash(token),
        personName: row.name,
        createdAtMs: nowMs,
        lastUsedAtMs: nowMs,
        expiresAtMs: nowMs + sessionLifeMs,
      });
      await store.pruneSessions(transaction, {
        personName: row.name,
        keep: maxSessionsPerPerson,
        nowMs,
        idleSinceMs: nowMs - sessionIdleMs,
      });
    });
    return { person: { name: row.name, role: toRole(row.role) }, token };
  }

  /** The person behind a session's token; null when there is none or it is over. */
  async personOf(token: string): Promise<Person | null> {
    const tokenHash = this.#hash(token);
    const row = await store.findSession(this.#database, tokenHash);
    if (row === undefined) return null;
    const nowMs = this.#clock.nowMs();
    if (row.expiresAtMs <= nowMs || row.lastUsedAtMs <= nowMs - sessionIdleMs) {
      await store.deleteSession(this.#database, tokenHash);
      return null;
    }
    if (nowMs - row.lastUsedAtMs > sessionTouchMs) await store.touchSession(this.#database, tokenHash, nowMs);
    return { name: row.name, role: toRole(row.role) };
  }

  async signOut(token: string): Promise<void> {
    await store.deleteSession(this.#database, this.#hash(token));
  }

  #hash(token: string): string {
    return this.#secrets.hmac('session', token).toString('hex');
  }
}

function toRole(text: string): Role {
  const role = roles.find((known) => known === text);
  if (role === undefined) throw new FleetError('store-damaged', 'A person in the store has a role that is not known.');
  return role;
}

export function mayAct(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}
