/**
 * Whose signature under the fleet server's certificate counts: those that Node knows, or that of the fleet's own authority alone
 * (FLEET_CA_FILE). Read for each connection: a file that was exchanged counts from the next one on.
 */
import { readFileSync } from 'node:fs';

/** Options of `node:tls`, for whatever connects. */
export type FleetTrust = { readonly ca?: string };
export type ReadTrust = () => FleetTrust;

/** Who speaks TLS to the fleet server must not be led to show its credential to a broker in the clear. */
export function isBrokerSafe(fleetUrl: string, mqttUrl: string): boolean {
  return !fleetUrl.startsWith('https:') || /^(mqtts|wss):/.test(mqttUrl);
}

/** What it answers throws when the file cannot be read, with what to look at. */
export function fleetTrust(caFile: string | null): ReadTrust {
  if (caFile === null) return () => ({});
  return () => {
    let ca: string;
    try {
      ca = readFileSync(caFile, 'utf8');
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error';
      throw new Error(`FLEET_CA_FILE: expected a file that can be read, got ${code} at ${caFile}`, { cause });
    }
    if (!ca.includes('-----BEGIN CERTIFICATE-----')) {
      throw new Error(`FLEET_CA_FILE: expected a certificate in PEM in ${caFile}, got something else`);
    }
    return { ca };
  };
}
