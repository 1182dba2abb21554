/**
 * What time the fleet server has. Ages on the page are counted on its clock, so that a laptop whose clock is wrong shows no
 * wrong age.
 */

/** The Date header counts whole seconds and an answer takes its time: differences below this are no difference. */
const toleranceMs = 3000;

let offsetMs = 0;

/** How far the server's clock is ahead of ours, from one answer. */
export function clockOffsetMs(dateHeader: string | null, sentAtMs: number, receivedAtMs: number): number | null {
  const serverMs = dateHeader === null ? Number.NaN : Date.parse(dateHeader);
  if (Number.isNaN(serverMs)) return null;
  const difference = serverMs - (sentAtMs + receivedAtMs) / 2;
  return Math.abs(difference) < toleranceMs ? 0 : Math.round(difference);
}

export function noteAnswer(dateHeader: string | null, sentAtMs: number, receivedAtMs: number): void {
  offsetMs = clockOffsetMs(dateHeader, sentAtMs, receivedAtMs) ?? offsetMs;
}

export function serverNowMs(): number {
  return Date.now() + offsetMs;
}
