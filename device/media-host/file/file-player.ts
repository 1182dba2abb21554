/**
 * Plays a video file into a capture, round after round. It reads ahead, so that the next round is there when one ends; the clock of
 * the pipeline decides how fast, because no more is handed over than a short queue holds.
 *
 * INVARIANTS
 * - The capture never notices the end of the file: times only grow, and what is missing is silence or the picture before.
 * - What waits here is bounded in time and in bytes.
 */
import type { Clock } from '#device/media/clock.ts';
import { FileReader, type Reading, type ReadingHandlers, RepeatedReading } from '#device/media-host/file/file-reader.ts';
import { type Packet, plainSegment, streamStart } from '#device/media-host/file/gdp.ts';
import { LoopLine, type Track } from '#device/media-host/file/loop-line.ts';
import { type OpenedFile, openFile } from '#device/media-host/file/open-file.ts';
import { PictureLine } from '#device/media-host/file/picture-line.ts';
import { bytesPerFrame, SoundLine } from '#device/media-host/file/sound-line.ts';
import type { GstElement } from '#device/media-host/gst-pipeline.ts';
import type { FilePlan } from '#device/plan/pipeline-plan.ts';

export type FilePlayerHandlers = {
  /** The first pictures are there: the pipeline may start, and is then given to `attach`. */
  readonly onReady: () => void;
  /** At most once a start. */
  readonly onFailed: (reason: string) => void;
  /** What is wrong with a file that plays all the same; empty: nothing. */
  readonly onFault: (fault: string) => void;
};

/** The first picture is due so long after the pipeline has started: it needs a moment to set up its decoder. */
const startNs = 3e8;
const tickMs = 40;
/** Read ahead: the next round of a long file starts a process, on a slow board. */
const aheadNs = 3e9;
const soundAheadS = 1;
/** A file whose sound and pictures lie far apart in it is read until both are there, up to here. */
const maximumQueuedBytes = 48 * 1024 * 1024;
/** So many encoded pictures wait in the pipeline, and so much sound. */
const handedPictures = 12;
const handedSoundS = 0.6;
/** Sound that has not come by then is silence. */
const leastSoundS = 0.25;
const soundStepS = 0.1;
/** A whole round up to this size stays in memory and is not read again while the file stays as it is. */
const keptBytes = 8 * 1024 * 1024;
/** Nothing comes any more: where only one track ever came, the file has no other, and that is its end. */
const quietMs = 1500;
const hangingMs = 5000;
/** What failed once is tried again when the file has changed, or after this. */
const badForMs = 30_000;
const openAgainMs = 500;
/** A decoder that is further behind is helped by leaving pictures out. */
const longestLagNs = 1.5e9;
const slowForMs = 60_000;

type Kept = { readonly identity: string; readonly packets: (readonly [Track, Packet])[]; bytes: number };
type Sources = { readonly pictures: GstElement; readonly sound: GstElement | null };

export class FilePlayer {
  readonly #plan: FilePlan;
  readonly #clock: Clock;
  readonly #handlers: FilePlayerHandlers;
  /** Counts starts: what a former one still brings is of no use. Zero while stopped. */
  #run = 0;
  #runs = 0;
  #line = new LoopLine(startNs);
  #pictures = new PictureLine();
  #sound: SoundLine | null = null;
  #sources: Sources | null = null;
  #reading: Reading | null = null;
  #identity = '';
  #mediaType = '';
  /** Null: not known yet. */
  #hasSound: boolean | null = null;
  #kept: Kept | null = null;
  #whole: Kept | null = null;
  #seen = { pictures: 0, sound: 0 };
  #lastPacketMs = 0;
  #isReady = false;
  /** Why there is no next round; what waits is played before it is said. */
  #ending: string | null = null;
  #bad: { readonly identity: string; readonly reason: string; readonly atMs: number } | null = null;
  #breakOff = '';
  #slowAtMs: number | null = null;
  #fault = '';
  #firstTagMs: number | null = null;
  #nowNs = 0;
  #cancelTick: () => void = () => undefined;
  #cancelOpen: () => void = () => undefined;

  constructor(plan: FilePlan, clock: Clock, handlers: FilePlayerHandlers) {
    this.#plan = plan;
    this.#clock = clock;
    this.#handlers = handlers;
  }

  start(): void {
    this.stop();
    this.#runs += 1;
    this.#run = this.#runs;
    this.#line = new LoopLine(startNs);
    this.#pictures = new PictureLine();
    this.#sound = this.#plan.soundRateHz === null ? null : new SoundLine(this.#plan.soundRateHz, startNs);
    this.#mediaType = '';
    this.#ending = null;
    this.#isReady = false;
    this.#breakOff = '';
    this.#slowAtMs = null;
    this.#fault = '';
    this.#firstTagMs = null;
    this.#nowNs = 0;
    this.#open();
    this.#scheduleTick();
  }

  /** May be called twice. */
  stop(): void {
    this.#run = 0;
    this.#sources = null;
    this.#cancelTick();
    this.#cancelOpen();
    this.#reading?.stop();
    this.#reading = null;
  }

  /** To be called once the pipeline plays. */
  attach(sources: Sources): void {
    this.#sources = sources;
    sources.pictures.push?.(Buffer.concat([streamStart(), ...this.#pictures.takeCaps(), plainSegment()]));
    this.#feed();
  }

  /** A picture has left the pipeline, stamped by its clock: so late it is there. */
  onPicture(timestampMs: number): void {
    this.#firstTagMs ??= timestampMs;
    this.#nowNs = startNs + (timestampMs - this.#firstTagMs) * 1e6;
  }

  #open(): void {
    const run = this.#run;
    this.#openRound(run).catch((cause: unknown) => {
      // Where descriptors or processes have run out, the stream must not end with the file.
      if (run === this.#run)
        this.#end(`the file ${this.#plan.path} cannot be read now: ${cause instanceof Error ? cause.message : String(cause)}`);
    });
  }

  async #openRound(run: number): Promise<void> {
    const opened = await openFile(this.#plan);
    if (run !== this.#run) {
      if (opened.kind === 'open') await opened.handle.close();
      return;
    }
    if (opened.kind === 'refused') {
      this.#end(opened.reason);
      return;
    }
    try {
      this.#ending = null;
      this.#read(opened);
    } finally {
      await opened.handle.close();
    }
  }

  #read({ handle, container, identity }: OpenedFile): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#bad?.identity === identity && nowMs - this.#bad.atMs < badForMs) {
      this.#fail(this.#bad.reason);
      return;
    }
    if (identity !== this.#identity) {
      this.#hasSound = null;
      this.#breakOff = '';
    }
    this.#identity = identity;
    this.#seen = { pictures: 0, sound: 0 };
    this.#lastPacketMs = nowMs;
    const handlers: ReadingHandlers = {
      onPacket: (track, packet) => this.#take(track, packet),
      onEnd: (problem) => this.#endRound(problem),
    };
    if (this.#whole?.identity === identity) {
      this.#kept = null;
      this.#reading = new RepeatedReading(this.#whole.packets, handlers);
    } else {
      this.#whole = null;
      this.#kept = { identity, packets: [], bytes: 0 };
      this.#reading = new FileReader(handle, container, this.#hasSound === false ? null : this.#plan.soundRateHz, handlers);
    }
    this.#flow();
  }

  #take(track: Track, packet: Packet): void {
    this.#lastPacketMs = this.#clock.monotonicMs();
    this.#keep(track, packet);
    if (packet.kind === 'segment') this.#line.setSegment(track, packet);
    if (packet.kind === 'caps' && track === 'pictures') this.#takeCaps(packet);
    if (packet.kind === 'tag' && track === 'pictures') this.#pictures.addTag(packet.bytes);
    if (packet.kind === 'buffer') {
      const placed = this.#line.place(track, packet);
      this.#seen[track] += 1;
      if (track === 'pictures') this.#pictures.add(packet, placed);
      else {
        this.#hasSound = true;
        this.#sound?.add(placed.timeNs, packet.bytes.subarray(packet.bytes.length - payloadBytes(packet.bytes)), this.#line.roundStartNs);
      }
    }
    this.#flow();
  }

  #takeCaps(packet: Extract<Packet, { kind: 'caps' }>): void {
    const { mediaType } = packet;
    if (!this.#plan.pictures.includes(mediaType)) {
      this.#fail(`its pictures are ${mediaType}, which no decoder here reads: make it H.264, or install gstreamer1.0-libav`);
    } else if (this.#mediaType !== '' && this.#mediaType !== mediaType) {
      // A pipeline decodes one kind: the next one takes the new file.
      this.#handlers.onFailed('the file has been exchanged for one of another kind');
    } else {
      this.#mediaType = mediaType;
      this.#pictures.addCaps(packet.bytes);
    }
  }

  #keep(track: Track, packet: Packet): void {
    if (this.#kept === null || packet.kind === 'other') return;
    if ('bytes' in packet) this.#kept.bytes += packet.bytes.length;
    if (this.#kept.bytes > keptBytes) this.#kept = null;
    // A copy: what came is cut out of a larger piece, which would stay.
    else this.#kept.packets.push([track, 'bytes' in packet ? { ...packet, bytes: Buffer.from(packet.bytes) } : packet]);
  }

  /** Reads on while there is not enough of all that the file has. */
  #flow(): void {
    const soundIsShort = this.#sound !== null && this.#hasSound === true && this.#sound.aheadS < soundAheadS;
    const isShort = this.#pictures.aheadNs < aheadNs || soundIsShort || !this.#isReady;
    this.#reading?.setFlowing(isShort && this.#pictures.bytes < maximumQueuedBytes);
  }

  #endRound(problem: string | null): void {
    this.#reading?.stop();
    this.#reading = null;
    if (this.#run === 0) return;
    if (this.#seen.pictures === 0) {
      this.#fail(problem ?? 'there is no picture in it that can be played');
      return;
    }
    const seconds = (this.#line.roundLengthNs / 1e9).toFixed(1);
    this.#breakOff = problem === null ? '' : `it breaks off after ${seconds} s (${problem}): copy it again`;
    this.#whole = problem === null ? (this.#kept ?? this.#whole) : null;
    this.#kept = null;
    this.#line.startRound();
    this.#becomeReady();
    this.#open();
  }

  #becomeReady(): void {
    if (this.#isReady || this.#run === 0 || this.#pictures.isEmpty) return;
    this.#isReady = true;
    this.#handlers.onReady();
  }

  /** Plays what waits; meanwhile the file may come back. */
  #end(reason: string): void {
    if (!this.#isReady) {
      this.#handlers.onFailed(reason);
      return;
    }
    this.#ending = reason;
    this.#cancelOpen = this.#clock.schedule(() => this.#open(), openAgainMs);
  }

  /** As what it is now it cannot be played. */
  #fail(reason: string): void {
    const said = reason.startsWith('the file ') ? reason : `the file ${this.#plan.path} cannot be played: ${reason}`;
    if (this.#bad?.reason !== said) this.#bad = { identity: this.#identity, reason: said, atMs: this.#clock.monotonicMs() };
    this.#whole = null;
    this.#handlers.onFailed(said);
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#clock.schedule(() => {
      this.#tick();
      if (this.#run !== 0) this.#scheduleTick();
    }, tickMs);
  }

  #tick(): void {
    this.#watchReading();
    const isSoundThere = this.#sound === null || this.#hasSound !== null || this.#pictures.aheadNs >= 1e9;
    if (!this.#isReady && isSoundThere) this.#becomeReady();
    if (this.#sources !== null) this.#feed();
    if (this.#run !== 0) this.#flow();
    this.#tellFault();
  }

  #watchReading(): void {
    if (this.#reading === null || this.#reading instanceof RepeatedReading) return;
    const isShort = this.#pictures.aheadNs < aheadNs;
    const silentMs = isShort ? this.#clock.monotonicMs() - this.#lastPacketMs : 0;
    const { pictures, sound } = this.#seen;
    const mayHaveOneTrack = this.#plan.soundRateHz !== null && this.#hasSound !== false && (sound === 0) !== (pictures === 0);
    if (silentMs >= quietMs && mayHaveOneTrack && (sound > 0 || this.#hasSound === null)) {
      if (sound === 0) this.#hasSound = false;
      this.#endRound(null);
    } else if (silentMs >= hangingMs) this.#endRound('nothing more can be read');
  }

  #feed(): void {
    if (this.#sources === null) return;
    const { pictures, sound } = this.#sources;
    this.#keepUp();
    let waiting = Number(pictures['current-level-buffers']);
    for (; waiting < handedPictures; waiting += 1) {
      const next = this.#pictures.take();
      if (next === null) break;
      pictures.push?.(next);
    }
    if (sound !== null) this.#feedSound(sound);
    // All that there was has been played, and there is no next round.
    if (waiting === 0 && this.#ending !== null && this.#pictures.isEmpty) this.#handlers.onFailed(this.#ending);
  }

  #feedSound(source: GstElement): void {
    const line = this.#sound;
    const rateHz = this.#plan.soundRateHz;
    if (line === null || rateHz === null) return;
    const frames = Math.round(rateHz * soundStepS);
    let waitingS = Number(source['current-level-bytes']) / bytesPerFrame / rateHz;
    while (waitingS < handedSoundS && (line.aheadS >= soundStepS || waitingS < leastSoundS)) {
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(Math.round(line.nextNs)));
      source.push?.(line.take(frames), time);
      waitingS += soundStepS;
    }
  }

  /** A decoder that is too slow would fall behind the sound for ever. */
  #keepUp(): void {
    if (this.#nowNs - this.#pictures.nextNs < longestLagNs || !this.#pictures.skipTo(this.#nowNs)) return;
    this.#slowAtMs = this.#clock.monotonicMs();
  }

  #tellFault(): void {
    const isSlow = this.#slowAtMs !== null && this.#clock.monotonicMs() - this.#slowAtMs < slowForMs;
    const slow = isSlow ? 'this board decodes it too slowly, pictures are left out: make it smaller' : '';
    const fault = [this.#breakOff, slow].filter((text) => text !== '').join('; ');
    if (this.#run === 0 || fault === this.#fault) return;
    this.#fault = fault;
    this.#handlers.onFault(fault);
  }
}

function payloadBytes(bytes: Buffer): number {
  return bytes.readUInt32BE(6);
}
