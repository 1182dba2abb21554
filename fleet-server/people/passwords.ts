/**
 * Passwords: argon2id (RFC 9106) in the PHC string format, so that its cost can be raised later and old hashes stay readable.
 *
 * INVARIANTS
 * - At most `maxAtOnce` computations run and `maxWaiting` wait: 19 MiB and some 30 ms each are a way to bring a server down.
 * - A name that does not exist costs as much as one that does.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { FleetError } from '#fleet-server/errors.ts';

export type Passwords = {
  hash(password: string): Promise<string>;
  /** `stored` null: nobody has this name; the work is done all the same and the answer is false. */
  verify(password: string, stored: string | null): Promise<boolean>;
};

type Cost = { readonly memoryKiB: number; readonly passes: number; readonly parallelism: number };

/** OWASP Password Storage Cheat Sheet, the minimum for argon2id. */
const cost: Cost = { memoryKiB: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const tagBytes = 32;
const maxAtOnce = 2;
const maxWaiting = 20;

export function createPasswords(): Passwords {
  const waiting: (() => void)[] = [];
  let running = 0;

  const enter = async (): Promise<void> => {
    if (running < maxAtOnce) {
      running += 1;
      return;
    }
    if (waiting.length >= maxWaiting)
      throw new FleetError('too-busy', 'Too many people sign in at this moment. Try again in a few seconds.');
    // The place is handed on by `leave`, so `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  const derive = async (password: string, salt: Buffer, at: Cost): Promise<Buffer> => {
    await enter();
    try {
      return await compute(password, salt, at);
    } finally {
      leave();
    }
  };

  return {
    hash: async (password) => {
      const salt = randomBytes(saltBytes);
      return encode(salt, await derive(password, salt, cost), cost);
    },
    verify: async (password, stored) => {
      const parsed = stored === null ? undefined : decode(stored);
      const salt = parsed?.salt ?? Buffer.alloc(saltBytes);
      const tag = await derive(password, salt, parsed?.cost ?? cost);
      const expected = parsed?.tag ?? randomBytes(tagBytes);
      return timingSafeEqual(tag, expected) && parsed !== undefined;
    },
  };
}

function compute(password: string, salt: Buffer, at: Cost): Promise<Buffer> {
  const parameters = {
    message: Buffer.from(password.normalize('NFKC'), 'utf8'),
    nonce: salt,
    parallelism: at.parallelism,
    tagLength: tagBytes,
    memory: at.memoryKiB,
    passes: at.passes,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error === null ? resolve(tag) : reject(error)));
  });
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

function encode(salt: Buffer, tag: Buffer, at: Cost): string {
  return `$argon2id$v=19$m=${at.memoryKiB},t=${at.passes},p=${at.parallelism}$${base64(salt)}$${base64(tag)}`;
}

const phc = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{43})$/;

function decode(stored: string): { readonly cost: Cost; readonly salt: Buffer; readonly tag: Buffer } {
  const [, memory, passes, parallelism, salt, tag] = phc.exec(stored) ?? [];
  if (salt === undefined || tag === undefined) throw new FleetError('store-damaged', 'A stored password hash cannot be read.');
  return {
    cost: { memoryKiB: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** 100 random bits in groups that can be read aloud: no letter or digit that looks like another. */
export function makePassword(): string {
  const alphabet = 'abcdefghjkmnpqrstvwxyz23456789ABC';
  const letters = [...randomBytes(20)].map((byte) => alphabet[byte % 32]).join('');
  return (letters.match(/.{5}/g) ?? []).join('-');
}
