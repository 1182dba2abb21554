/**
 * Room that is taken on the disk while there is some, for what must be written when there is none: two slots a file, of full size from the
 * beginning, overwritten in place by turns. A disk that is full takes that; one that is read-only or broken does not.
 *
 * INVARIANTS
 * - A power cut in the middle of a write leaves the other slot, and the file itself, as they were.
 * - A slot counts only over the very file that it was written over: once the file itself could be written again, the slots are old.
 */
import { createHash } from 'node:crypto';
import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const header = /^spare (\d{1,15}) ([0-9a-f]{64}) ([0-9a-f]{64}) (\d{1,9})\n/;
const longestHeader = 160;

type Spare = { readonly turn: number; readonly content: Buffer };

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function packSlot(turn: number, over: Buffer, content: Buffer): Buffer {
  const line = `spare ${turn} ${digestOf(over)} ${digestOf(content)} ${content.byteLength}\n`;
  return Buffer.concat([Buffer.from(line), content]);
}

/** Null: empty, torn, or of another file than `over`. */
function unpackSlot(bytes: Buffer, over: Buffer): Spare | null {
  const found = header.exec(bytes.subarray(0, longestHeader).toString('latin1'));
  if (found === null || found[2] !== digestOf(over)) return null;
  const start = found[0].length;
  const content = bytes.subarray(start, start + Number(found[4]));
  return digestOf(content) === found[3] ? { turn: Number(found[1]), content } : null;
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

export class SpareSlots {
  readonly #paths: readonly string[];
  readonly #slotBytes: number;
  #isReserved = false;
  #isUsed = false;

  /** `slotBytes`: what one write may hold, its header included; twice as much is taken. */
  constructor(directory: string, name: string, slotBytes: number) {
    this.#paths = [0, 1].map((index) => join(directory, `${name}.spare-${index}`));
    this.#slotBytes = slotBytes;
  }

  /** What was written last over `over`, the file itself as it is; null when that counts. */
  async newest(over: Buffer): Promise<Buffer | null> {
    const spares = (await this.#read(over)).filter((spare) => spare !== null).toSorted((one, other) => other.turn - one.turn);
    this.#isUsed ||= spares.length > 0;
    return spares[0]?.content ?? null;
  }

  /** Rejects when there is no room taken, or too little. */
  async write(over: Buffer, content: Buffer): Promise<void> {
    const turn = Math.max(0, ...(await this.#read(over)).map((spare) => spare?.turn ?? 0)) + 1;
    const bytes = packSlot(turn, over, content);
    const path = this.#paths[turn % 2] ?? '';
    if (bytes.byteLength > this.#slotBytes || (await sizeOf(path)) < this.#slotBytes) throw new RangeError('the room taken is too small');
    this.#isUsed = true;
    await this.#overwrite(path, bytes);
  }

  /** The file itself could be written, or removed: empties slots, and takes room where none is taken yet. Never rejects: the next write tries again. */
  async renew(): Promise<void> {
    try {
      if (this.#isUsed) for (const path of this.#paths) await this.#overwrite(path, Buffer.alloc(longestHeader));
      this.#isUsed = false;
      if (!this.#isReserved) for (const path of this.#paths) await this.#take(path);
      this.#isReserved = true;
    } catch {
      // Room that could not be taken whole is given back: others need it more.
      this.#isReserved = false;
      for (const path of this.#paths) await rm(path, { force: true }).catch(() => undefined);
    }
  }

  /** Nothing may have been written yet: takes room unless there is some, which may be in use. Never rejects. */
  async reserve(): Promise<void> {
    const sizes = await Promise.all(this.#paths.map(sizeOf));
    if (sizes.every((bytes) => bytes === 0)) await this.renew();
  }

  async #read(over: Buffer): Promise<(Spare | null)[]> {
    return Promise.all(
      this.#paths.map((path) =>
        readFile(path).then(
          (bytes) => unpackSlot(bytes, over),
          () => null,
        ),
      ),
    );
  }

  async #take(path: string): Promise<void> {
    if ((await sizeOf(path)) >= this.#slotBytes) return;
    // Written, not made longer: a hole in a file takes no room.
    await writeFile(path, Buffer.alloc(this.#slotBytes), { mode: 0o600, flush: true });
  }

  async #overwrite(path: string, bytes: Buffer): Promise<void> {
    const handle = await open(path, 'r+');
    try {
      await handle.write(bytes, 0, bytes.byteLength, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
