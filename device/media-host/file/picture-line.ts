/** Encoded pictures that wait to be decoded, in the order of decoding, with what describes them. Pure. */
import { type Packet, retimed } from '#device/media-host/file/gdp.ts';
import type { Placed } from '#device/media-host/file/loop-line.ts';

type Waiting = {
  readonly bytes: Buffer;
  /** Null: it describes the pictures that follow. */
  readonly timeNs: number | null;
  readonly isKeyframe: boolean;
};

export class PictureLine {
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #nextNs = Number.POSITIVE_INFINITY;
  #lastNs = 0;
  #caps = '';
  #firstCaps: Buffer[] | null = [];

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** When the next one is due; infinity: there is none. */
  get nextNs(): number {
    return this.isEmpty ? Number.POSITIVE_INFINITY : this.#nextNs;
  }

  get aheadNs(): number {
    return this.isEmpty ? 0 : Math.max(0, this.#lastNs - this.#nextNs);
  }

  addCaps(bytes: Buffer): void {
    const text = bytes.toString('latin1');
    if (text === this.#caps) return;
    this.#caps = text;
    if (this.#firstCaps !== null) this.#firstCaps = [bytes];
    else this.#push({ bytes, timeNs: null, isKeyframe: false });
  }

  addTag(bytes: Buffer): void {
    this.#push({ bytes, timeNs: null, isKeyframe: false });
  }

  add({ bytes, isKeyframe }: Extract<Packet, { kind: 'buffer' }>, { timeNs, decodingTimeNs }: Placed): void {
    if (this.isEmpty) this.#nextNs = timeNs;
    this.#lastNs = Math.max(this.#lastNs, timeNs);
    this.#push({ bytes: retimed(bytes, timeNs, decodingTimeNs), timeNs, isKeyframe });
  }

  /** What describes the first pictures: to be handed over before them, once. */
  takeCaps(): readonly Buffer[] {
    const caps = this.#firstCaps ?? [];
    this.#firstCaps = null;
    return caps;
  }

  take(): Buffer | null {
    const first = this.#waiting.shift();
    if (first === undefined) return null;
    this.#bytes -= first.bytes.length;
    this.#nextNs = this.#waiting.find(({ timeNs }) => timeNs !== null)?.timeNs ?? this.#nextNs;
    return first.bytes;
  }

  /** Leaves out what comes before the last keyframe that is due by then. False: there is none to go on with. */
  skipTo(nowNs: number): boolean {
    const isDue = ({ timeNs, isKeyframe }: Waiting) => isKeyframe && timeNs !== null && timeNs <= nowNs;
    const due = this.#waiting.findLastIndex(isDue);
    const at = due > 0 ? due : this.#waiting.findIndex(({ isKeyframe }, index) => index > 0 && isKeyframe);
    if (at <= 0) return false;
    const skipped = this.#waiting.splice(0, at);
    const described = skipped.filter(({ timeNs }) => timeNs === null);
    this.#waiting.unshift(...described);
    this.#bytes -= skipped.reduce((sum, { bytes, timeNs }) => sum + (timeNs === null ? 0 : bytes.length), 0);
    this.#nextNs = this.#waiting.find(({ timeNs }) => timeNs !== null)?.timeNs ?? this.#nextNs;
    return true;
  }

  #push(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#bytes += waiting.bytes.length;
  }
}
