/**
 * The sound of the tag bus as Ogg/Vorbis, in a pipeline of its own: AAC is decoded and encoded again, which costs little and
 * lets nothing of it reach the capture. The pipeline is used again for each connection, and begins each time with the headers.
 */
import { type AacFormat, aacFormat, adtsFrame } from '#device/media-host/adts.ts';
import type { Tag } from '#device/media-host/flv.ts';
import { type GstElement, GstPipeline } from '#device/media-host/gst-pipeline.ts';

/** One format whatever the microphone gives: a new capture goes on in the same stream. No demuxer: it would link only once. */
const description =
  'appsrc name=source caps=audio/mpeg,mpegversion=4,stream-format=adts format=time is-live=true max-bytes=0 ! ' +
  'queue max-size-buffers=0 max-size-bytes=262144 max-size-time=0 ! aacparse ! faad ! audioconvert ! audioresample ! ' +
  'audio/x-raw,rate=44100,channels=2 ! vorbisenc quality=0.4 ! oggmux max-page-delay=500000000 max-delay=500000000 ! ' +
  'appsink name=pages sync=false max-buffers=64 drop=true';

export type VorbisHandlers = {
  readonly onPage: (page: Buffer) => void;
  /** At most once a run. */
  readonly onFailed: (reason: string) => void;
};

const pullAgainMs = 20;
const nanosecondsPerMs = 1_000_000n;

export class VorbisEncoder {
  readonly #pipeline: GstPipeline;
  readonly #source: GstElement;
  readonly #pages: GstElement;
  /** Counts starts: a page of a former run is of no use. Zero while stopped. */
  #run = 0;
  #runs = 0;
  #isPulling = false;
  #baseMs: number | null = null;
  #format: AacFormat | null = null;
  #handlers: VorbisHandlers | null = null;

  /** Throws where an element is not installed. */
  constructor() {
    this.#pipeline = new GstPipeline(description, {
      keepsBusThread: true,
      onError: ({ message }) => this.#fail(`the sound cannot be encoded as Ogg/Vorbis: ${message.slice(0, 200)}`),
      onEnd: () => this.#fail('the sound has ended'),
    });
    this.#source = this.#element('source');
    this.#pages = this.#element('pages');
  }

  start(handlers: VorbisHandlers): void {
    this.stop();
    this.#handlers = handlers;
    this.#runs += 1;
    this.#run = this.#runs;
    this.#baseMs = null;
    this.#pipeline.play();
    this.#pull();
  }

  /** May be called twice. */
  stop(): void {
    this.#run = 0;
    this.#handlers = null;
    this.#pipeline.stop();
  }

  /** What is no sound is let be. */
  push(tag: Tag): void {
    if (this.#run === 0 || tag.kind !== 'audio') return;
    if (tag.isHeader) this.#format = aacFormat(tag);
    if (tag.isHeader || this.#format === null) return;
    this.#baseMs ??= tag.timestampMs;
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(Math.max(0, tag.timestampMs - this.#baseMs)) * nanosecondsPerMs);
    this.#source.push?.(adtsFrame(this.#format, tag), time);
  }

  #pull(): void {
    if (this.#isPulling || this.#run === 0) return;
    const run = this.#run;
    this.#isPulling = true;
    this.#pages.pull?.((page) => {
      this.#isPulling = false;
      if (this.#run === 0) return;
      if (page !== null && run === this.#run) this.#handlers?.onPage(page);
      if (page !== null) this.#pull();
      else setTimeout(() => this.#pull(), pullAgainMs);
    });
  }

  #fail(reason: string): void {
    const handlers = this.#handlers;
    this.stop();
    handlers?.onFailed(reason);
  }

  #element(name: string): GstElement {
    const element = this.#pipeline.element(name);
    if (element === null) throw new Error(`expected an element "${name}" in the Ogg/Vorbis pipeline, found none`);
    return element;
  }
}
