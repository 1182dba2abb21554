/**
 * What of a channel's target is secret: how it is shown, and what stays when it is left out. Pure.
 *
 * INVARIANTS
 * - No answer and no entry in a log holds a secret, a token, a password, or more of a web address than its origin and a hint: webhooks
 *   of chats and topics of ntfy are secrets themselves.
 * - A secret goes only where whoever wrote it sent it: nobody draws it out by naming another place and asking for a test.
 */
import { hiddenSecret } from '#fleet-server/audit/audit-log.ts';
import { FleetError } from '#fleet-server/errors.ts';
import type { AlertTarget } from '#protocol/model/alert.ts';

const secretFields = { webhook: 'secret', ntfy: 'token', email: 'password' } as const;
/** In place of what is not shown. */
const leftOut = '…';
/** Of an address whose end is at least so long, its last characters tell it from others of the same service, and open nothing. */
const hint = { fromLength: 24, length: 4 } as const;

/** As it is in an answer. */
export function shownTarget(target: AlertTarget): AlertTarget {
  const field = secretFields[target.kind];
  const open = Object.fromEntries(Object.entries(target).filter(([name]) => name !== field)) as AlertTarget;
  return open.kind === 'email' ? open : { ...open, url: shownAddress(open.url) };
}

/** As it is in the audit log. */
export function auditedTarget(target: AlertTarget): string {
  const field = secretFields[target.kind];
  return JSON.stringify({ ...shownTarget(target), ...(Object.hasOwn(target, field) ? { [field]: hiddenSecret } : {}) });
}

/** Origin and a hint; whole where nothing follows the host. */
export function shownAddress(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return `https://${leftOut}`;
  const { origin, pathname, search, hash, username, password } = parsed;
  const end = `${pathname}${search}${hash}`;
  if (end === '/' && username === '' && password === '') return url;
  return `${origin}/${leftOut}${end.length < hint.fromLength ? '' : end.slice(-hint.length)}`;
}

/** A new channel's: throws where an address is not one. */
export function newTarget(target: AlertTarget): AlertTarget {
  if (target.kind === 'email') return target;
  const refuse = (came: string) => {
    const expected = 'a whole address';
    return new FleetError('wrong-fields', `Expected in target ${expected}, got ${came}.`, {
      problems: [{ key: 'body/target/url', expected, came }],
    });
  };
  if (target.url.includes(leftOut)) throw refuse('one as it is shown, without its end');
  if (!URL.canParse(target.url)) throw refuse('something else');
  return target;
}

/** An address that comes back as it was shown stays, and so does a secret that is left out, for the same kind of target at the same place. */
export function changedTarget(former: AlertTarget, asked: AlertTarget): AlertTarget {
  const next = newTarget(withKnownAddress(former, asked));
  const field = secretFields[next.kind];
  if (former.kind !== next.kind || Object.hasOwn(next, field) || !Object.hasOwn(former, field)) return next;
  const [known, wanted] = [placeOf(former), placeOf(next)];
  if (known !== wanted) {
    const expected = `the ${field} again, because it is for ${known} and this is ${wanted}`;
    throw new FleetError('wrong-fields', `Expected in target ${expected}. For a place that needs none, add a channel of its own.`, {
      problems: [{ key: `body/target/${field}`, expected, came: 'none' }],
    });
  }
  return { ...former, ...next } as AlertTarget;
}

function withKnownAddress(former: AlertTarget, asked: AlertTarget): AlertTarget {
  if (former.kind === 'email' || asked.kind !== former.kind) return asked;
  return asked.url === shownAddress(former.url) ? { ...asked, url: former.url } : asked;
}

/** Scheme, host and port. */
function placeOf(target: AlertTarget): string {
  if (target.kind === 'email') return `${target.secure ? 'smtps' : 'smtp'}://${target.host.toLowerCase()}:${target.port}`;
  return URL.parse(target.url)?.origin ?? 'no address';
}
