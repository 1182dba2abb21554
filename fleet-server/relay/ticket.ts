/**
 * Tickets to watch one device: its expiry and a keyed hash over both. Nothing is stored, so any server with the same secret can
 * check one, and none can be called back; they last ten minutes.
 */
import { timingSafeEqual } from 'node:crypto';

export const ticketLifetimeMs = 600_000;
const purpose = 'relay-ticket';
/** The time in base 36, and 192 bits of the hash in base64url. */
const shape = /^([0-9a-z]{1,10})\.([A-Za-z0-9_-]{32})$/;

export type KeyedHash = (purpose: string, text: string) => Buffer;

export function makeTicket(hmac: KeyedHash, deviceId: string, expiresAtMs: number): string {
  const expiry = expiresAtMs.toString(36);
  return `${expiry}.${signature(hmac, deviceId, expiry)}`;
}

export function isTicketValid(hmac: KeyedHash, deviceId: string, ticket: string, nowMs: number): boolean {
  const match = shape.exec(ticket);
  if (match === null) return false;
  const [, expiry = '', came = ''] = match;
  const isRight = timingSafeEqual(Buffer.from(came), Buffer.from(signature(hmac, deviceId, expiry)));
  return isRight && Number.parseInt(expiry, 36) > nowMs;
}

function signature(hmac: KeyedHash, deviceId: string, expiry: string): string {
  return hmac(purpose, `${deviceId} ${expiry}`).toString('base64url').slice(0, 32);
}
