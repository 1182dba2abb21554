/** When the player tries again, jumps, renews its ticket. Pure. */

const firstRetryMs = 1000;
const longestRetryMs = 10_000;

/** With up to a third more by chance. */
export function retryDelayMs(attempt: number, random: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 1.7 ** Math.min(attempt, 20)) * (1 + random / 3);
}

/** Further behind than this the player jumps instead of catching up by playing faster. */
const jumpBehindS = 10;

export function isTooFarBehind(behindS: number): boolean {
  return behindS > jumpBehindS;
}

/** A picture that stands still for so long, while media arrives at the relay, will not move by itself. */
const stallMs = 8000;

export function isStalled(lastProgressMs: number, nowMs: number): boolean {
  return nowMs - lastProgressMs > stallMs;
}

/** The new ticket is fetched well before the old one ends. */
const renewBeforeMs = 90_000;

export function shouldRenew(expiresAt: string, nowMs: number): boolean {
  return Date.parse(expiresAt) - nowMs < renewBeforeMs;
}

const ticketPart = /^(.*\/hls\/)([^/]+)(\/.*)$/;

/** The same address with the ticket of the newest one, so that a running player goes on under the new ticket. */
export function withTicketOf(address: string, newest: string): string {
  const old = ticketPart.exec(address);
  const fresh = ticketPart.exec(newest);
  return old === null || fresh === null ? address : `${fresh[1]}${fresh[2]}${old[3]}`;
}

/**
 * The playback address names the server as FLEET_PUBLIC_URL does. A page that was opened under another name may fetch only
 * from where it came.
 */
export function onOwnOrigin(address: string, origin: string): string {
  const url = new URL(address, origin);
  if (url.origin === origin) return url.href;
  const start = url.pathname.indexOf('/hls/');
  return origin + url.pathname.slice(Math.max(0, start)) + url.search;
}
