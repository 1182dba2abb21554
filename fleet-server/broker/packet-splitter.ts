/** Cuts a stream of bytes that packet-scanner.ts has let pass into whole packets of MQTT 3.1.1 (section 2.2). */

/** Holds back at most one packet that is not whole yet: the scanner bounds how large that is. */
export class PacketSplitter {
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Of the packet that is held back, as far as its header tells. */
  #neededBytes = 0;

  /** Calls `take` with each packet that `chunk` makes whole. It is a part of the chunk, and good for as long as that is. */
  split(chunk: Buffer, take: (packet: Buffer) => void): void {
    let bytes = chunk;
    if (this.#heldBytes > 0) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      if (this.#heldBytes < this.#neededBytes) return;
      bytes = Buffer.concat(this.#held, this.#heldBytes);
      this.#held = [];
      this.#heldBytes = 0;
    }
    let at = 0;
    while (at < bytes.length) {
      const packetBytes = packetBytesAt(bytes, at);
      if (packetBytes === null || at + packetBytes > bytes.length) {
        this.#hold(bytes.subarray(at), packetBytes);
        return;
      }
      take(at === 0 && packetBytes === bytes.length ? bytes : bytes.subarray(at, at + packetBytes));
      at += packetBytes;
    }
  }

  #hold(bytes: Buffer, packetBytes: number | null): void {
    this.#held = [bytes];
    this.#heldBytes = bytes.length;
    this.#neededBytes = packetBytes ?? bytes.length + 1;
  }
}

/** Null: its length is not all there. */
function packetBytesAt(bytes: Buffer, at: number): number | null {
  let remaining = 0;
  for (let index = at + 1, factor = 1; index < bytes.length; index += 1, factor *= 128) {
    const byte = bytes[index] ?? 0;
    remaining += (byte & 0x7f) * factor;
    if (byte < 0x80) return index + 1 - at + remaining;
  }
  return null;
}
