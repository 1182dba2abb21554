/**
 * Browsers in which somebody has signed in before. Refused sign-ins are counted by name, so anybody could keep a person out by trying wrong
 * passwords under their name; in a browser that is known the person is counted apart from all that. Source: OWASP, "Slow Down Online
 * Guessing Attacks with Device Cookies".
 *
 * INVARIANTS
 * - What the cookie holds opens nothing: it names a browser, and proves that its person signed in there.
 * - It counts for the name alone that signed in, and nobody but the server can make it.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '#fleet-server/store/secrets.ts';

const idBytes = 16;
const shape = /^([\w-]{22})\.([\w-]{43})$/;

export class KnownBrowsers {
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** For a browser in which `name` has just signed in. */
  make(name: string): string {
    const id = randomBytes(idBytes).toString('base64url');
    return `${id}.${this.#proof(id, name).toString('base64url')}`;
  }

  /** Which browser it is, where `name` has signed in before; null for anything else. */
  idOf(cookie: string | undefined, name: string): string | null {
    const [, id, proof] = shape.exec(cookie ?? '') ?? [];
    if (id === undefined || proof === undefined) return null;
    return timingSafeEqual(Buffer.from(proof, 'base64url'), this.#proof(id, name)) ? id : null;
  }

  #proof(id: string, name: string): Buffer {
    return this.#secrets.hmac('known-browser', `${id} ${name}`);
  }
}
