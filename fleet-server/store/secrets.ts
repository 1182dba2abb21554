/**
 * The server's own secret: 32 random bytes in a file beside the store, never inside it, so that a copy of the store alone
 * opens nothing. Every use has its own key, drawn from it by HKDF (RFC 5869) with the purpose as its info.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { FleetError } from '#fleet-server/errors.ts';

export type Secrets = {
  /** 32 bytes that only this server can make from `text`; different for each purpose. */
  hmac(purpose: string, text: string): Buffer;
  /** AES-256-GCM with a random nonce; `v1.` + base64url of nonce, tag and text. */
  seal(text: string): string;
  /** The text that was sealed; throws when it was changed or sealed with another key. */
  open(sealed: string): string;
};

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const sealedPrefix = 'v1.';

/** Reads the key file, or makes it (0600) on the first start. */
export function openSecrets(path: string): Secrets {
  const master = readKey(path) ?? makeKey(path);
  const keys = new Map<string, Buffer>();
  const hmacKeys = new Map<string, KeyObject>();
  const keyFor = (purpose: string): Buffer => {
    const known = keys.get(purpose);
    if (known !== undefined) return known;
    const made = Buffer.from(hkdfSync('sha256', master, '', `makespacelive ${purpose}`, keyBytes));
    keys.set(purpose, made);
    return made;
  };
  // Given as bytes, a key is made into one anew for each digest, which takes eight times as long as the digest.
  const hmacKeyFor = (purpose: string): KeyObject => {
    const known = hmacKeys.get(purpose);
    if (known !== undefined) return known;
    const made = createSecretKey(keyFor(`hmac ${purpose}`));
    hmacKeys.set(purpose, made);
    return made;
  };
  return {
    hmac: (purpose, text) => createHmac('sha256', hmacKeyFor(purpose)).update(text).digest(),
    seal: (text) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', keyFor('seal'), nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return sealedPrefix + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed.slice(sealedPrefix.length), 'base64url');
      if (!sealed.startsWith(sealedPrefix) || bytes.length < nonceBytes + tagBytes) throw cannotOpen();
      const decipher = createDecipheriv('aes-256-gcm', keyFor('seal'), bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw cannotOpen(cause);
      }
    },
  };
}

function cannotOpen(cause?: unknown): FleetError {
  return new FleetError('store-damaged', 'A sealed value does not open: the key file is not the one that it was sealed with.', { cause });
}

function readKey(path: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new FleetError('store-unavailable', `The key file ${path} cannot be read.`, { cause });
  }
  const key = Buffer.from(text.trim(), 'hex');
  if (key.length !== keyBytes) throw new FleetError('store-damaged', `Expected 64 hexadecimal digits in the key file ${path}.`);
  return key;
}

/** Written under another name and linked into place, so that two processes that start at once end with one key. */
function makeKey(path: string): Buffer {
  const temporary = `${path}.${process.pid}.new`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(descriptor, `${randomBytes(keyBytes).toString('hex')}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    linkSync(temporary, path);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
  } finally {
    unlinkSync(temporary);
  }
  const key = readKey(path);
  if (key === undefined) throw new FleetError('store-unavailable', `The key file ${path} vanished while it was made.`);
  return key;
}
