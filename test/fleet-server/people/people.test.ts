import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditAction } from '#fleet-server/audit/audit-log.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { Passwords } from '#fleet-server/people/passwords.ts';
import { People, type SignedIn } from '#fleet-server/people/people.ts';
import { openSecrets } from '#fleet-server/store/secrets.ts';
import { keyPath } from '#fleet-server/store/store.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';

const dayMs = 86_400_000;

let api: ApiUnderTest;
/** Of another server on the same store. */
let elsewhere: People;
beforeEach(async () => {
  api = await startApi();
  elsewhere = peopleWith(readable);
});
afterEach(() => api.close());

/** Passwords that cost nothing: what is tested here is what happens beside them. */
const readable: Passwords = {
  hash: async (password) => `the hash of ${password}`,
  verify: async (password, stored) => stored === `the hash of ${password}`,
};
const peopleWith = (passwords: Passwords): People => {
  const secrets = openSecrets(keyPath(api.directory));
  return new People({ database: api.store().database, secrets, clock: api.clock, audit: api.app.audit, passwords });
};
/** Where `meanwhile` happens between a password's check and what follows. */
const peopleWhere = (meanwhile: () => Promise<unknown>): People =>
  peopleWith({
    ...readable,
    verify: async (password, stored) => {
      const isRight = await readable.verify(password, stored);
      await meanwhile();
      return isRight;
    },
  });
const add = (name = 'eve') => elsewhere.add({ name, role: 'operator', password: 'old' }, 'admin');
const opens = async (name: string, password: string): Promise<boolean> =>
  elsewhere.signIn(name, password).then(
    () => true,
    () => false,
  );
const entries = async (action: AuditAction) => {
  const query = { before: null, subjects: null, actor: null, action, fromMs: null, toMs: null, limit: 100 };
  return (await api.app.audit.page(api.store().database, query, () => null)).entries;
};
const sessions = () => api.store().database.selectFrom('sessions').selectAll().execute();

describe('who signs in while', () => {
  test('they are removed is refused like somebody unknown', async () => {
    await add();
    const people = peopleWhere(() => elsewhere.remove('eve', 'admin'));
    await expect(people.signIn('eve', 'old')).rejects.toMatchObject({ code: 'sign-in-refused', message: 'Name or password is wrong.' });
    expect(await entries('sign-in-refused')).toEqual([]);
  });

  test('they are given another password is refused with the former one', async () => {
    await add();
    const people = peopleWhere(() => elsewhere.change('eve', { password: 'new' }, 'admin'));
    await expect(people.signIn('eve', 'old')).rejects.toMatchObject({ code: 'sign-in-refused' });
    expect(await sessions()).toEqual([]);
    expect(await entries('sign-in-refused')).toMatchObject([{ actor: 'eve' }]);
  });

  test('they are given another role has that one', async () => {
    await add();
    const people = peopleWhere(() => elsewhere.change('eve', { role: 'viewer' }, 'admin'));
    const { person, token } = await people.signIn('eve', 'old');
    expect(person).toEqual({ name: 'eve', role: 'viewer' });
    expect(await people.personOf(token)).toEqual(person);
  });

  test('others give them another password at the same moment has no session of the former one', async () => {
    await add();
    const [here, there] = [peopleWith(readable), peopleWith(readable)];
    let former = 'old';
    for (let round = 0; round < 20; round += 1) {
      const next = `new ${round}`;
      const tries = [here, there, here, there].map((people) =>
        people.signIn('eve', former).catch((error: unknown) => {
          if (error instanceof FleetError && error.code === 'sign-in-refused') return null;
          throw error;
        }),
      );
      await elsewhere.change('eve', { password: next }, 'admin');
      const signedIn = (await Promise.all(tries)).filter((one): one is SignedIn => one !== null);
      expect(await Promise.all(signedIn.map(({ token }) => here.personOf(token)))).toEqual(signedIn.map(() => null));
      former = next;
      api.clock.jump(300_001);
    }
  });
});

describe('one’s own password that is changed', () => {
  test('while an admin gives another does not count, and the admin’s does', async () => {
    await add();
    const people = peopleWhere(() => elsewhere.change('eve', { password: 'the admin’s' }, 'admin'));
    const refused = { code: 'sign-in-refused', message: 'The current password is wrong.' };
    await expect(people.changeOwnPassword('eve', { current: 'old', next: 'the thief’s' })).rejects.toMatchObject(refused);
    expect([await opens('eve', 'the admin’s'), await opens('eve', 'the thief’s')]).toEqual([true, false]);
  });

  test('while its person is removed is refused', async () => {
    await add();
    const people = peopleWhere(() => elsewhere.remove('eve', 'admin'));
    await expect(people.changeOwnPassword('eve', { current: 'old', next: 'new' })).rejects.toMatchObject({ code: 'sign-in-refused' });
  });

  test('is answered with a session however busy the server is once it is stored', async () => {
    await add();
    const busy = async () => {
      throw new FleetError('too-busy', 'Too many people sign in at this moment.');
    };
    let passwords: Passwords = readable;
    const people = peopleWith({
      verify: (password, stored) => passwords.verify(password, stored),
      hash: (password) => {
        passwords = { hash: busy, verify: busy };
        return readable.hash(password);
      },
    });
    const { token, person } = await people.changeOwnPassword('eve', { current: 'old', next: 'new' });
    expect(person).toEqual({ name: 'eve', role: 'operator' });
    expect(await people.personOf(token)).toEqual(person);
    expect(await sessions()).toHaveLength(1);
    expect(await opens('eve', 'new')).toBe(true);
  });
});

describe('many tries at once under one name', () => {
  /** All are checked before one is answered, the right ones last. */
  const peopleWhereAtOnce = (count: number): People => {
    const asked: { readonly isRight: boolean; readonly answer: (isRight: boolean) => void }[] = [];
    const verify = async (password: string, stored: string | null) => {
      const isRight = await readable.verify(password, stored);
      return new Promise<boolean>((answer) => {
        asked.push({ isRight, answer });
        if (asked.length < count) return;
        for (const one of asked.toSorted((a, b) => Number(a.isRight) - Number(b.isRight))) one.answer(one.isRight);
      });
    };
    return peopleWith({ ...readable, verify });
  };
  const codes = async (tries: readonly Promise<unknown>[]) =>
    (await Promise.allSettled(tries)).map((one) => (one.status === 'fulfilled' ? 'right' : (one.reason as FleetError).code));
  const times = <T>(count: number, one: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => one(index));

  test('say of ten whether they are wrong, and of no more, the right one included', async () => {
    await add();
    const people = peopleWhereAtOnce(20);
    const right = people.signIn('eve', 'old');
    const answers = await codes([right, ...times(19, (index) => people.signIn('eve', `guess ${index}`))]);
    expect(answers[0]).toBe('too-many');
    expect(answers.toSorted()).toEqual([...times(10, () => 'sign-in-refused'), ...times(10, () => 'too-many')]);
    await expect(people.signIn('eve', 'old')).rejects.toMatchObject({ code: 'too-many', retryAfterS: 300 });
    expect(await entries('sign-in-refused')).toHaveLength(10);
  });

  test('say as little to whoever has stolen a session', async () => {
    await add();
    const people = peopleWhereAtOnce(20);
    const answers = await codes(times(20, (index) => people.changeOwnPassword('eve', { current: `guess ${index}`, next: 'new' })));
    expect(answers.toSorted()).toEqual([...times(10, () => 'sign-in-refused'), ...times(10, () => 'too-many')]);
  });

  test('are all let in with the right password', async () => {
    await add();
    const people = peopleWhereAtOnce(20);
    expect(await codes(times(20, () => people.signIn('eve', 'old')))).toEqual(times(20, () => 'right'));
  });
});

describe('a person who is changed', () => {
  test.each([{}, { role: 'operator' }] as const)('to what they are (%o) keeps their sessions, and no entry tells of it', async (patch) => {
    await add();
    const { token } = await elsewhere.signIn('eve', 'old');
    expect(await elsewhere.change('eve', patch, 'admin')).toEqual({ name: 'eve', role: 'operator' });
    expect(await elsewhere.personOf(token)).toEqual({ name: 'eve', role: 'operator' });
    expect([...(await entries('person-changed')), ...(await entries('password-changed'))]).toEqual([]);
  });
});

describe('the way back on the command line', () => {
  test('makes admin an admin again, whatever role they were given', async () => {
    await elsewhere.add({ name: 'boss', role: 'admin', password: 'lost' }, 'admin');
    await elsewhere.change('admin', { role: 'viewer' }, 'boss');
    expect(await elsewhere.resetFirstPerson('found')).toEqual({ password: 'found', endedAccessTokens: 0, formerRole: 'viewer' });
    expect((await elsewhere.signIn('admin', 'found')).person).toEqual({ name: 'admin', role: 'admin' });
    const changes = [{ field: 'role', before: 'viewer', after: 'admin' }];
    expect((await entries('person-changed'))[0]).toMatchObject({ actor: 'the command line', subject: 'admin', changes });
  });

  test('makes admin anew where they were removed, and an entry tells of it', async () => {
    await elsewhere.add({ name: 'boss', role: 'admin', password: 'lost' }, 'admin');
    await elsewhere.remove('admin', 'boss');
    expect(await elsewhere.resetFirstPerson('found')).toEqual({ password: 'found', endedAccessTokens: 0, formerRole: null });
    expect((await elsewhere.signIn('admin', 'found')).person).toEqual({ name: 'admin', role: 'admin' });
    const changes = [{ field: 'role', before: null, after: 'admin' }];
    expect((await entries('person-added'))[0]).toMatchObject({ actor: 'the command line', subject: 'admin', changes });
  });

  test('changes no role of an admin', async () => {
    expect(await elsewhere.resetFirstPerson('found')).toMatchObject({ formerRole: null });
    expect(await entries('person-changed')).toEqual([]);
  });
});

describe('sessions made while the clock was ahead', () => {
  test('make room for those made since it was set right', async () => {
    await add();
    api.clock.set(dayMs);
    for (let time = 0; time < 20; time += 1) await elsewhere.signIn('eve', 'old');
    api.clock.set(-dayMs);
    const made: SignedIn[] = [];
    for (let time = 0; time < 3; time += 1) made.push(await elsewhere.signIn('eve', 'old'));
    expect(await Promise.all(made.map(({ token }) => elsewhere.personOf(token)))).not.toContain(null);
    expect(await sessions()).toHaveLength(20);
  });

  test('end twelve hours after their last use since', async () => {
    await add();
    api.clock.set(365 * dayMs);
    const { token } = await elsewhere.signIn('eve', 'old');
    api.clock.set(-365 * dayMs);
    expect(await elsewhere.personOf(token)).not.toBeNull();
    api.clock.jump(13 * 3_600_000);
    expect(await elsewhere.personOf(token)).toBeNull();
  });

  test('end fourteen days after their first use since', async () => {
    await add();
    api.clock.set(365 * dayMs);
    const { token } = await elsewhere.signIn('eve', 'old');
    api.clock.set(-365 * dayMs);
    for (let hours = 0; hours < 14 * 24; hours += 10) {
      expect(await elsewhere.personOf(token)).not.toBeNull();
      api.clock.jump(10 * 3_600_000);
    }
    expect(await elsewhere.personOf(token)).toBeNull();
  });
});
