/** The countdown to an output's next try. Pure. */

export function nextTryWords(nextTryAt: string, nowMs: number): string {
  const seconds = Math.ceil((Date.parse(nextTryAt) - nowMs) / 1000);
  return seconds > 0 ? `next try in ${seconds} s` : 'trying again now';
}
