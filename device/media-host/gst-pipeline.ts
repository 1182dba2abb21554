/**
 * One GStreamer pipeline through the binding, with the binding's traps closed (read its C++):
 * - a bus poll blocks one thread of the pool until a message comes, and goes on by itself while the pipeline is not in NULL;
 * - each pull blocks one thread until a buffer comes, and gives null once the pipeline is stopped or at its end;
 * - a pipeline, once made, is never freed; so one that is started again and again is kept and used again.
 */
import { createRequire } from 'node:module';

type BusMessage = { readonly type: string; readonly [key: string]: unknown };

/** An element: its GStreamer properties by name, and what appsink and appsrc can do. */
export type GstElement = {
  [property: string]: unknown;
  readonly pull?: (callback: (buffer: Buffer | null) => void) => void;
  /** The second buffer is the time in nanoseconds, 64 bits, big-endian. */
  readonly push?: (buffer: Buffer, time?: Buffer) => void;
};

type NativePipeline = {
  'auto-flush-bus': boolean;
  play(): void;
  stop(): void;
  findChild(name: string): GstElement | undefined;
  forceKeyUnit(sink: string, count: number): void;
  pollBus(callback: (message: BusMessage) => void): void;
};

const binding = createRequire(import.meta.url)('gstreamer-superficial') as {
  readonly Pipeline: new (description: string) => NativePipeline;
};

export type PipelineError = { readonly element: string; readonly message: string; readonly debug: string };

export type GstPipelineOptions = {
  /**
   * True: the bus poll stays blocked between two runs and nothing at all leaks, for pipelines that are started thousands of
   * times. False: each stop frees the poll's thread and leaks some 300 bytes, for pipelines that other ones replace.
   */
  readonly keepsBusThread: boolean;
  readonly onError: (error: PipelineError) => void;
  readonly onEnd: () => void;
};

export class GstPipeline {
  readonly #native: NativePipeline;
  readonly #options: GstPipelineOptions;
  readonly #elements = new Map<string, GstElement>();
  #isPlaying = false;
  #isPolling = false;
  #isAsking = false;
  /** Asked why this run has not started, it turned out that it has. */
  #hasStarted = false;
  #keyframesAsked = 0;

  /** Throws where the description cannot be parsed or names what is not installed. */
  constructor(description: string, options: GstPipelineOptions) {
    this.#native = new binding.Pipeline(description);
    this.#native['auto-flush-bus'] = options.keepsBusThread;
    this.#options = options;
  }

  /** Looked up once: each look-up of the binding leaks a little. */
  element(name: string): GstElement | null {
    const known = this.#elements.get(name);
    if (known !== undefined) return known;
    const found = this.#native.findChild(name);
    if (found !== undefined) this.#elements.set(name, found);
    return found ?? null;
  }

  play(): void {
    if (this.#isPlaying) return;
    this.#isPlaying = true;
    this.#hasStarted = false;
    // The start empties the bus of what the former run left there: so play first, poll then.
    this.#native.play();
    if (this.#isPolling) return;
    this.#isPolling = true;
    this.#native.pollBus(this.#onMessage);
  }

  /**
   * A start that fails on the way out of NULL (no such device) leaves the pipeline there, and the binding's polling ends with the
   * first of its messages: the error is one of those that follow. To be called when a sink gives null at once. Each message
   * leaks some 300 bytes.
   */
  askWhyNotStarted(): void {
    if (!this.#isPlaying || this.#isAsking || this.#hasStarted) return;
    this.#isAsking = true;
    this.#ask();
  }

  #ask(): void {
    let isAnswered = false;
    this.#native.pollBus((message) => {
      if (this.#isPlaying) this.#handle(message);
      if (isAnswered) {
        // The binding polls on by itself, as it does outside NULL: with a question after each message, threads would double each time.
        this.#hasStarted = this.#isPlaying;
        return;
      }
      isAnswered = true;
      if (this.#isPlaying && !this.#hasStarted) {
        this.#ask();
        return;
      }
      this.#isAsking = false;
      if (!this.#isPlaying) this.#isPolling = false;
    });
  }

  /** Asks whatever encodes for the sink to give a keyframe next; a camera's own encoder takes no notice. */
  askForKeyframe(sink: string): void {
    if (!this.#isPlaying) return;
    this.#keyframesAsked += 1;
    this.#native.forceKeyUnit(sink, this.#keyframesAsked);
  }

  /** Devices and sockets are free when it returns. */
  stop(): void {
    if (!this.#isPlaying) return;
    this.#isPlaying = false;
    this.#native.stop();
  }

  readonly #onMessage = (message: BusMessage): void => {
    if (this.#isPlaying) this.#handle(message);
    // The binding goes on polling only while the pipeline is not in NULL when this returns.
    if (!this.#isPlaying) this.#isPolling = false;
  };

  #handle(message: BusMessage): void {
    if (message.type === 'error') {
      this.#options.onError({
        element: String(message['_src_element_name'] ?? ''),
        message: String(message['message'] ?? ''),
        debug: String(message['debug'] ?? ''),
      });
    } else if (message.type === 'eos') {
      this.#options.onEnd();
    }
  }
}

/** "Internal data stream error." alone helps nobody: the cause stands in the last line of the debug text. */
export function describeError({ element, message, debug }: PipelineError): string {
  const detail = debug.split('\n').at(-1)?.trim() ?? '';
  const isDetailOfUse = detail !== '' && !detail.startsWith('../') && !message.includes(detail);
  return `${element}: ${message}${isDetailOfUse ? ` (${detail})` : ''}`;
}

export function setProperty(element: GstElement, property: string, value: number | string | boolean): boolean {
  if (!(property in element)) return false;
  element[property] = value;
  return true;
}
