/**
 * Browsers in which somebody has signed in before. Refused sign-ins are counted by name, so anybody could keep a person out by trying wrong
 * passwords under their name; in a browser that is known the person is counted apart from all that. Source: OWASP, "Slow Down Online
 * Guessing Attacks with Device Cookies".
 *
 * INVARIANTS
 * - What the cookie holds opens nothing: it names a browser, and proves that its person signed in there.
 * - It counts for the name alone that signed in, until it ends, and nobody but the server can make it.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '#fleet-server/clock.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';

const idBytes = 16;
const shape = /^([\w-]{22})\.(\d{1,10})\.([\w-]{43})$/;
/** Since the last sign-in there: as long as browsers keep a cookie at most (RFC 6265bis, section 5.5). */
export const browserLifeS = 400 * 86_400;

export class KnownBrowsers {
  readonly #secrets: Secrets;
  readonly #clock: Clock;

  constructor(secrets: Secrets, clock: Clock) {
    this.#secrets = secrets;
    this.#clock = clock;
  }

  /** For the browser with this cookie, if it has one, in which `name` has just signed in: it stays the one that it was. */
  make(name: string, cookie?: string): string {
    const id = this.idOf(cookie, name) ?? randomBytes(idBytes).toString('base64url');
    const endsAtS = Math.floor(this.#clock.nowMs() / 1000) + browserLifeS;
    return `${id}.${endsAtS}.${this.#proof(id, endsAtS, name).toString('base64url')}`;
  }

  /** Which browser it is, where `name` has signed in before; null for anything else. */
  idOf(cookie: string | undefined, name: string): string | null {
    const [, id, endsAt, proof] = shape.exec(cookie ?? '') ?? [];
    if (id === undefined || endsAt === undefined || proof === undefined) return null;
    const endsAtS = Number(endsAt);
    if (!timingSafeEqual(Buffer.from(proof, 'base64url'), this.#proof(id, endsAtS, name))) return null;
    return endsAtS * 1000 > this.#clock.nowMs() ? id : null;
  }

  #proof(id: string, endsAtS: number, name: string): Buffer {
    return this.#secrets.hmac('known-browser', `${id} ${endsAtS} ${name}`);
  }
}
