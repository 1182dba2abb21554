/**
 * Who may do what.
 *
 * INVARIANTS
 * - A session's token is 256 random bits; the store keeps only its keyed hash.
 * - Wrong passwords from elsewhere never keep a person out of a browser in which they have signed in before.
 * - A refused sign-in never says which of name and password was wrong, and takes as long for either.
 * - There is always an admin: the last one can be neither removed nor given another role. The way back, when nobody knows an admin's
 *   password any more, makes one.
 * - A password opens something only while it still is the person's in the transaction that opens it: checking it takes a while.
 * - Another password or role ends the sessions of the person, so that nobody goes on with what was taken from them. A password that
 *   somebody else gives them (an admin, the command line) ends their access tokens, too; with one that they chose themselves their
 *   programs go on, and the page says so.
 * - A session ends 12 hours after its last use and 14 days after it began, whichever comes first.
 */
import { randomBytes } from 'node:crypto';
import type { AuditLog } from '#fleet-server/audit/audit-log.ts';
import { type Clock, timestamp } from '#fleet-server/clock.ts';
import { FleetError } from '#fleet-server/errors.ts';
import { deleteAccessTokensOf } from '#fleet-server/people/access-tokens-store.ts';
import { type AttemptLimit, createAttemptLimit } from '#fleet-server/people/attempt-limit.ts';
import { KnownBrowsers } from '#fleet-server/people/known-browsers.ts';
import { createPasswords, makePassword, type Passwords } from '#fleet-server/people/passwords.ts';
import * as store from '#fleet-server/people/people-store.ts';
import type { Database, PeopleTable } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import { unlessFull } from '#fleet-server/store/store-errors.ts';
import { inTransaction } from '#fleet-server/store/transaction.ts';
import {
  type ChangedPerson,
  type MadePerson,
  type NewPerson,
  type Person,
  type PersonList,
  type PersonPatch,
  type Role,
  roles,
} from '#protocol/model/person.ts';

export const firstPersonName = 'admin';
export const sessionLifeMs = 14 * 24 * 3_600_000;
const sessionIdleMs = 12 * 3_600_000;
const sessionTouchMs = 60_000;
const maxSessionsPerPerson = 20;
const maxPeople = 1000;

export type PeopleOptions = {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** For tests. */
  readonly passwords?: Passwords;
};

/** `browser`: what is known of the browser from now on, for its cookie. */
export type SignedIn = { readonly person: Person; readonly token: string; readonly browser: string };
/** `formerRole`: where they were no admin. */
export type FirstPersonReset = { readonly password: string; readonly endedAccessTokens: number; readonly formerRole: Role | null };
type Tries = { throwWhileTooMany(): void; failed(): void; succeeded(): void };

export class People {
  readonly #database: Database;
  readonly #secrets: Secrets;
  readonly #clock: Clock;
  readonly #passwords: Passwords;
  readonly #browsers: KnownBrowsers;
  readonly #attempts: AttemptLimit;
  readonly #attemptsInKnownBrowsers: AttemptLimit;
  readonly #audit: AuditLog;

  constructor(options: PeopleOptions) {
    this.#database = options.database;
    this.#secrets = options.secrets;
    this.#clock = options.clock;
    this.#audit = options.audit;
    this.#passwords = options.passwords ?? createPasswords();
    this.#browsers = new KnownBrowsers(options.secrets, options.clock);
    this.#attempts = createAttemptLimit({ clock: options.clock });
    this.#attemptsInKnownBrowsers = createAttemptLimit({ clock: options.clock });
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

  /**
   * Gives the first person a new password and ends their sessions and access tokens; makes them if they are not there. They are an admin
   * afterwards, whatever role they had: nobody else may be left who is one and can sign in.
   */
  async resetFirstPerson(givenPassword: string | null): Promise<FirstPersonReset> {
    const password = givenPassword ?? makePassword();
    const passwordHash = await this.#passwords.hash(password);
    const person = { name: firstPersonName, role: 'admin', passwordHash, createdAtMs: this.#clock.nowMs() };
    const actor = 'the command line';
    return inTransaction(this.#database, async (transaction) => {
      if (await store.insertPerson(transaction, person)) {
        await this.#auditAdded(transaction, firstPersonName, 'admin', actor);
        return { password, endedAccessTokens: 0, formerRole: null };
      }
      const before = await this.#existing(transaction, firstPersonName);
      if (before.role !== 'admin') await this.#setRole(transaction, before, 'admin', actor);
      await store.deleteSessionsOf(transaction, firstPersonName);
      const endedAccessTokens = await this.#resetPassword(transaction, firstPersonName, passwordHash, actor);
      return { password, endedAccessTokens, formerRole: before.role === 'admin' ? null : before.role };
    });
  }

  /** `browser`: its cookie, if it has one. */
  async signIn(name: string, password: string, browser?: string): Promise<SignedIn> {
    const tries = this.#triesOf(name, browser, 'Too many refused sign-ins under this name.');
    const verified = await this.#verified(name, password, tries);
    const signedIn =
      verified === null
        ? null
        : await this.#whileUnchanged(verified, tries, (transaction, person) => this.#begin(transaction, person, browser));
    if (signedIn !== null) return signedIn;
    // Of names that do not exist there is no end.
    if ((await store.findPerson(this.#database, name)) !== undefined) {
      await this.#audit.append(this.#database, { actor: name, action: 'sign-in-refused', subject: name });
    }
    throw new FleetError('sign-in-refused', 'Name or password is wrong.');
  }

  /** Whom the password opens, as they were when it was checked; null when it is wrong. Throws while too many were. */
  async #verified(name: string, password: string, tries: Tries): Promise<PeopleTable | null> {
    tries.throwWhileTooMany();
    const row = await store.findPerson(this.#database, name);
    const isRight = await this.#passwords.verify(password, row?.passwordHash ?? null);
    // As many as there is room for may have been checked at once: what one more has found, right or wrong, is not told.
    tries.throwWhileTooMany();
    if (isRight && row !== undefined) return row;
    tries.failed();
    return null;
  }

  /** Does `work` if the person's password is still the one that was checked; null when they have another one meanwhile, or were removed. */
  async #whileUnchanged<T>(
    verified: PeopleTable,
    tries: Tries,
    work: (transaction: Database, person: Person) => Promise<T>,
  ): Promise<T | null> {
    const done = await inTransaction(this.#database, async (transaction) => {
      const row = await store.findPerson(transaction, verified.name);
      return row?.passwordHash === verified.passwordHash ? work(transaction, { name: row.name, role: toRole(row.role) }) : null;
    });
    if (done === null) tries.failed();
    else tries.succeeded();
    return done;
  }

  async #begin(transaction: Database, person: Person, browser: string | undefined): Promise<SignedIn> {
    const token = randomBytes(32).toString('base64url');
    const nowMs = this.#clock.nowMs();
    await store.pruneSessions(transaction, {
      personName: person.name,
      keep: maxSessionsPerPerson - 1,
      nowMs,
      idleSinceMs: nowMs - sessionIdleMs,
    });
    await store.insertSession(transaction, {
      tokenHash: this.#hash(token),
      personName: person.name,
      createdAtMs: nowMs,
      lastUsedAtMs: nowMs,
      expiresAtMs: nowMs + sessionLifeMs,
    });
    await this.#audit.append(transaction, { actor: person.name, action: 'signed-in', subject: person.name });
    return { person, token, browser: this.#browsers.make(person.name, browser) };
  }

  /** The person behind a session's token; null when there is none or it is over. */
  async personOf(token: string): Promise<Person | null> {
    const tokenHash = this.#hash(token);
    const row = await store.findSession(this.#database, tokenHash);
    if (row === undefined) return null;
    const nowMs = this.#clock.nowMs();
    if (row.expiresAtMs <= nowMs || row.lastUsedAtMs <= nowMs - sessionIdleMs) {
      await unlessFull(store.deleteSession(this.#database, tokenHash));
      return null;
    }
    if (Math.abs(nowMs - row.lastUsedAtMs) > sessionTouchMs) {
      // Of one that was made while the clock was ahead both times are later than they may be.
      const times = { lastUsedAtMs: nowMs, expiresAtMs: Math.min(row.expiresAtMs, nowMs + sessionLifeMs) };
      await unlessFull(store.touchSession(this.#database, tokenHash, times));
    }
    return { name: row.name, role: toRole(row.role) };
  }

  async signOut(token: string): Promise<void> {
    await store.deleteSession(this.#database, this.#hash(token));
  }

  async list(): Promise<PersonList> {
    const rows = await store.listPeople(this.#database);
    const signIns = await this.#audit.lastSignIns(
      this.#database,
      rows.map(({ name }) => name),
    );
    return {
      people: rows.map(({ name, role, createdAtMs }) => {
        const lastMs = signIns.get(name);
        // Before that it was another person of the same name.
        const isTheirs = lastMs !== undefined && lastMs >= createdAtMs;
        return { name, role: toRole(role), createdAt: timestamp(createdAtMs), lastSignedInAt: isTheirs ? timestamp(lastMs) : null };
      }),
    };
  }

  /** Without a password one is made, and shown in this answer alone. */
  async add({ name, role, password }: NewPerson, actor: string): Promise<MadePerson> {
    const given = password ?? makePassword();
    const passwordHash = await this.#passwords.hash(given);
    await inTransaction(this.#database, async (transaction) => {
      if ((await store.listPeople(transaction)).length >= maxPeople) {
        throw new FleetError('too-many', `Expected at most ${maxPeople} people: remove some first.`);
      }
      // Commands are asked for under it by the server itself.
      if (name === 'watchdog') throw new FleetError('already-there', 'Expected another name than watchdog, which is the server’s own.');
      if (!(await store.insertPerson(transaction, { name, role, passwordHash, createdAtMs: this.#clock.nowMs() }))) {
        throw new FleetError('already-there', `Expected a name that nobody has, got ${name}.`);
      }
      await this.#auditAdded(transaction, name, role, actor);
    });
    return { name, role, ...(password === undefined ? { password: given } : {}) };
  }

  async #auditAdded(transaction: Database, name: string, role: Role, actor: string): Promise<void> {
    const changes = [{ field: 'role', before: null, after: role }];
    await this.#audit.append(transaction, { actor, action: 'person-added', subject: name, changes });
  }

  /** By somebody who need not know the password that the person has. */
  async change(name: string, { role, password }: PersonPatch, actor: string): Promise<ChangedPerson> {
    const passwordHash = password === undefined ? null : await this.#passwords.hash(password);
    return inTransaction(this.#database, async (transaction) => {
      const before = await this.#existing(transaction, name);
      const changed = { name, role: role ?? before.role };
      if (changed.role !== before.role) {
        await this.#keepAnAdmin(transaction, before);
        await this.#setRole(transaction, before, changed.role, actor);
      }
      if (changed.role !== before.role || passwordHash !== null) await store.deleteSessionsOf(transaction, name);
      if (passwordHash === null) return changed;
      return { ...changed, endedAccessTokens: await this.#resetPassword(transaction, name, passwordHash, actor) };
    });
  }

  async #setRole(transaction: Database, before: Person, role: Role, actor: string): Promise<void> {
    await store.setRole(transaction, before.name, role);
    const changes = [{ field: 'role', before: before.role, after: role }];
    await this.#audit.append(transaction, { actor, action: 'person-changed', subject: before.name, changes });
  }

  /** Resolves with how many access tokens have ended. */
  async #resetPassword(transaction: Database, name: string, passwordHash: string, actor: string): Promise<number> {
    await store.setPasswordHash(transaction, name, passwordHash);
    const ended = await deleteAccessTokensOf(transaction, name, this.#clock.nowMs());
    const changes = ended.map((token) => ({ field: 'access token', before: token, after: null }));
    await this.#audit.append(transaction, { actor, action: 'password-changed', subject: name, changes });
    return ended.length;
  }

  async remove(name: string, actor: string): Promise<void> {
    await inTransaction(this.#database, async (transaction) => {
      await this.#keepAnAdmin(transaction, await this.#existing(transaction, name));
      await store.deletePerson(transaction, name);
      await this.#audit.append(transaction, { actor, action: 'person-removed', subject: name });
    });
  }

  /** One's own password; every session of the person ends but the one that is made here, and access tokens stay. */
  async changeOwnPassword(
    name: string,
    passwords: { readonly current: string; readonly next: string },
    browser?: string,
  ): Promise<SignedIn> {
    // A stolen session must not be enough to guess the password behind it.
    const tries = this.#triesOf(name, browser, 'Too many wrong passwords for this name.');
    const verified = await this.#verified(name, passwords.current, tries);
    if (verified === null) throw currentPasswordWrong();
    const passwordHash = await this.#passwords.hash(passwords.next);
    const signedIn = await this.#whileUnchanged(verified, tries, async (transaction, person) => {
      await store.setPasswordHash(transaction, name, passwordHash);
      await store.deleteSessionsOf(transaction, name);
      await this.#audit.append(transaction, { actor: name, action: 'password-changed', subject: name });
      return this.#begin(transaction, person, browser);
    });
    if (signedIn === null) throw currentPasswordWrong();
    return signedIn;
  }

  /** Whether the person has signed in before in the browser with this cookie. */
  isKnownBrowser(name: string, cookie: string | undefined): boolean {
    return this.#browsers.idOf(cookie, name) !== null;
  }

  /** By name, or by the browser where the person is known. */
  #triesOf(name: string, browser: string | undefined, tooMany: string): Tries {
    const id = this.#browsers.idOf(browser, name);
    const [limit, key] = id === null ? [this.#attempts, name] : [this.#attemptsInKnownBrowsers, id];
    return {
      throwWhileTooMany: () => {
        const retryAfterS = Math.ceil(limit.waitMs(key) / 1000);
        if (retryAfterS > 0) throw new FleetError('too-many', `${tooMany} Try again in ${retryAfterS} s.`, { retryAfterS });
      },
      failed: () => limit.failed(key),
      succeeded: () => limit.succeeded(key),
    };
  }

  async #existing(database: Database, name: string): Promise<Person> {
    const row = await store.findPerson(database, name);
    if (row === undefined) throw new FleetError('not-found', `Expected the name of a person, got ${JSON.stringify(name.slice(0, 64))}.`);
    return { name, role: toRole(row.role) };
  }

  async #keepAnAdmin(database: Database, { name, role }: Person): Promise<void> {
    if (role !== 'admin' || (await store.countOthersWithRole(database, 'admin', name)) > 0) return;
    throw new FleetError('last-admin', `Expected another admin to remain, got none: make one before ${name} is changed.`);
  }

  #hash(token: string): string {
    return this.#secrets.hmac('session', token).toString('hex');
  }
}

function currentPasswordWrong(): FleetError {
  return new FleetError('sign-in-refused', 'The current password is wrong.');
}

export function toRole(text: string): Role {
  const role = roles.find((known) => known === text);
  if (role === undefined) throw new FleetError('store-damaged', 'A person in the store has a role that is not known.');
  return role;
}

export function mayAct(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}
