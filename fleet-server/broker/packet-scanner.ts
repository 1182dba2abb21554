/**
 * Follows the framing of MQTT 3.1.1 (section 2.2: one byte of type and flags, one to four bytes of remaining length, then the
 * rest) through a byte stream, without keeping any of it, and says as soon as a packet announces itself too large.
 *
 * Why: the parser inside the broker collects whatever length a packet announces, up to 256 MB, before anybody has
 * authenticated (measured: 150 MB kept for one socket). Here a packet is judged by its header, however that is cut into chunks.
 */
import { maxPacketBytes } from '#protocol/topics.ts';

const packetTypes = { connect: 1, publish: 3, disconnect: 14 } as const;

/** CONNECT holds two device ids, a credential and a will; subscriptions are three topics. Both fit in a few hundred bytes. */
export const maxControlPacketBytes = 4096;

export type PacketRefusal = {
  readonly kind: 'too-large' | 'malformed' | 'not-connect';
  readonly message: string;
  /** What the peer is sent before the connection is closed. */
  readonly answer?: Buffer;
};

export class PacketScanner {
  #accepted = false;
  #sawConnect = false;
  #sawDisconnect = false;
  #packetType: number | undefined;
  #lengthBytes = 0;
  #remaining = 0;
  #toSkip = 0;

  /** The connection has authenticated: from now on a PUBLISH may be as large as the protocol has reason for. */
  accept(): void {
    this.#accepted = true;
  }

  /** Whether the peer said goodbye by a DISCONNECT packet. */
  get sawDisconnect(): boolean {
    return this.#sawDisconnect;
  }

  /** Reads on; the answer, if any, means that the connection must be closed and nothing more be read. */
  scan(chunk: Uint8Array): PacketRefusal | undefined {
    let position = 0;
    while (position < chunk.length) {
      if (this.#toSkip > 0) {
        const skipped = Math.min(this.#toSkip, chunk.length - position);
        this.#toSkip -= skipped;
        position += skipped;
        continue;
      }
      const refusal = this.#header(chunk[position] ?? 0);
      if (refusal !== undefined) return refusal;
      position += 1;
    }
    return undefined;
  }

  #header(byte: number): PacketRefusal | undefined {
    if (this.#packetType === undefined) {
      this.#packetType = byte >> 4;
      this.#lengthBytes = 0;
      this.#remaining = 0;
      if (!this.#sawConnect && this.#packetType !== packetTypes.connect) {
        return { kind: 'not-connect', message: `expected CONNECT as the first packet, got type ${this.#packetType}` };
      }
      this.#sawConnect = true;
      return undefined;
    }
    this.#remaining += (byte & 0x7f) * 128 ** this.#lengthBytes;
    this.#lengthBytes += 1;
    const packetBytes = 1 + this.#lengthBytes + this.#remaining;
    const limit = this.#accepted && this.#packetType === packetTypes.publish ? maxPacketBytes : maxControlPacketBytes;
    if (packetBytes > limit) {
      return { kind: 'too-large', message: `expected a packet of at most ${limit} bytes, got one that announces ${packetBytes} or more` };
    }
    const isLast = (byte & 0x80) === 0;
    if (!isLast) {
      if (this.#lengthBytes < 4) return undefined;
      return { kind: 'malformed', message: 'expected a remaining length of at most four bytes, got a longer one' };
    }
    if (this.#packetType === packetTypes.disconnect) this.#sawDisconnect = true;
    this.#packetType = undefined;
    this.#toSkip = this.#remaining;
    return undefined;
  }
}
