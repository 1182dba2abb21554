/**
 * The times of a file that is played again and again, on one line that only grows. Pure; nanoseconds.
 *
 * INVARIANT: pictures and sound of a round are moved by the same amount, which is where the longer of the two ended in the round
 * before: they keep together however many rounds there were.
 */
import type { Packet } from '#device/media-host/file/gdp.ts';

export type Track = 'pictures' | 'sound';
type BufferPacket = Extract<Packet, { kind: 'buffer' }>;
type SegmentPacket = Extract<Packet, { kind: 'segment' }>;

export type Placed = { readonly timeNs: number; readonly decodingTimeNs: number | null };

/** A file of one picture is not begun anew thirty times a second. */
const shortestRoundNs = 1e9;
/** Where neither the file nor its pictures so far tell how long one lasts. */
const assumedDurationNs = 4e7;
const longestGuessNs = 1e9;

export class LoopLine {
  #roundStartNs: number;
  #endNs: number;
  readonly #segments = new Map<Track, SegmentPacket>();
  readonly #lastNs = new Map<Track, number>();

  constructor(startNs: number) {
    this.#roundStartNs = startNs;
    this.#endNs = startNs;
  }

  /** Where the round that is being read began. */
  get roundStartNs(): number {
    return this.#roundStartNs;
  }

  get roundLengthNs(): number {
    return this.#endNs - this.#roundStartNs;
  }

  setSegment(track: Track, segment: SegmentPacket): void {
    this.#segments.set(track, segment);
  }

  place(track: Track, { timeNs, durationNs, decodingTimeNs }: BufferPacket): Placed {
    const { startNs, baseNs } = this.#segments.get(track) ?? { startNs: 0, baseNs: 0 };
    const moved = (own: number) => own - startNs + baseNs + this.#roundStartNs;
    const last = this.#lastNs.get(track);
    const own = timeNs ?? decodingTimeNs;
    const placed = own === null ? (last ?? this.#roundStartNs) + assumedDurationNs : moved(own);
    const sinceLast = last === undefined || placed <= last ? assumedDurationNs : Math.min(longestGuessNs, placed - last);
    this.#endNs = Math.max(this.#endNs, placed + (durationNs ?? sinceLast));
    this.#lastNs.set(track, Math.max(placed, last ?? placed));
    // What lies before the beginning is decoded for what comes after it, and not shown for longer than a moment.
    const decoding = decodingTimeNs === null ? null : Math.max(this.#roundStartNs, moved(decodingTimeNs));
    return { timeNs: track === 'sound' ? placed : Math.max(this.#roundStartNs, placed), decodingTimeNs: decoding };
  }

  /** What comes next is the beginning of the file again. */
  startRound(): void {
    this.#roundStartNs = Math.max(this.#endNs, this.#roundStartNs + shortestRoundNs);
    this.#endNs = this.#roundStartNs;
    this.#segments.clear();
    this.#lastNs.clear();
  }
}
