/**
 * mqtt-packet keeps for good, for each length of a packet that was ever written, the few bytes that say it. They come from Node's pool: each
 * holds on to 64 KB of it, which is tens of megabytes after some thousand messages of different lengths. Four bytes of their own hold on to
 * nothing else.
 */
import type { Plugin } from 'rolldown';

const fromPool = 'Buffer.allocUnsafe(maxLength)';

export function packetNumbers(): Plugin {
  return {
    name: 'packet-numbers',
    transform: (code, id) => (/\/mqtt-packet\/numbers\.js$/.test(id) ? withoutPool(code) : null),
  };
}

/** @throws when the library has changed: then somebody has to look whether this is needed any more. */
export function withoutPool(code: string): string {
  if (!code.includes(fromPool)) throw new Error(`expected "${fromPool}" in mqtt-packet/numbers.js, and it is not there: look at this file`);
  return code.replace(fromPool, 'Buffer.alloc(maxLength)');
}
