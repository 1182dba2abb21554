/** What to type on a new device. Pure. */

export function joinCommand(origin: string, token: string): string {
  return `FLEET_URL=${origin} FLEET_JOIN_TOKEN=${token} npm run agent`;
}

/** An address that means "this machine" wherever it is typed. */
export function isOwnMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
