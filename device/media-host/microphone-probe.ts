/** Listens whether a lost microphone is back, beside the picture that goes on without it. */
import { DeviceNodeWatch } from '#device/health/device-node-watch.ts';
import type { Clock } from '#device/media/clock.ts';
import { describeError, GstPipeline } from '#device/media-host/gst-pipeline.ts';
import { ProbeTimes } from '#device/media-host/probe-times.ts';

/** Each question why it does not start leaks some hundred bytes: asked at the tries 1, 2, 4 … 64, then at each 64th. */
const mostTriesBetweenQuestions = 64;

export class MicrophoneProbe {
  readonly #times: ProbeTimes;
  /** Only while it is lost. */
  readonly #deviceNodes: DeviceNodeWatch;
  readonly #onBack: () => void;
  readonly #onFault: (said: string) => void;
  #tries = 0;
  /** Counts all tries, of whatever was listened for. */
  #run = 0;
  #description = '';
  #whyAway: () => string | null = () => null;
  /** By description. Kept, since each may hold a thread of the pool for good: a microphone that changes sockets comes back to a number that it had. */
  readonly #pipelines = new Map<string, GstPipeline>();
  #isWanted = false;
  #isPulling = false;

  /** `onFault`: why it gave nothing at one of the tries, in GStreamer's words. */
  constructor(clock: Clock, onBack: () => void, onFault: (said: string) => void) {
    this.#times = new ProbeTimes(clock, () => this.#try());
    this.#deviceNodes = new DeviceNodeWatch({ clock, onChange: () => this.#times.wake() });
    this.#onBack = onBack;
    this.#onFault = onFault;
  }

  /** `losses`: how often it was lost lately. `whyAway`: why it is not worth trying; null: it may be. `onBack` is called once, when the microphone gives sound; it is free by then. */
  start(description: string, losses: number, whyAway: () => string | null): void {
    this.stop();
    this.#whyAway = whyAway;
    this.#description = description;
    this.#isWanted = true;
    this.#tries = 0;
    this.#times.start(losses);
    this.#deviceNodes.start();
  }

  /** May be called twice. */
  stop(): void {
    this.#isWanted = false;
    this.#times.stop();
    this.#deviceNodes.stop();
    this.#pipelines.get(this.#description)?.stop();
  }

  #try(): void {
    this.#pipelines.get(this.#description)?.stop();
    const isAway = this.#whyAway();
    if (isAway !== null) {
      this.#onFault(isAway);
      return;
    }
    const pipeline = this.#pipelineNow();
    if (pipeline === null) return;
    this.#tries += 1;
    this.#run += 1;
    pipeline.play();
    this.#pull();
  }

  #pull(): void {
    const pipeline = this.#pipelines.get(this.#description);
    const sink = pipeline?.element('sound');
    if (sink?.pull === undefined || this.#isPulling) return;
    this.#isPulling = true;
    const run = this.#run;
    sink.pull((buffer) => {
      this.#isPulling = false;
      if (!this.#isWanted) return;
      if (run !== this.#run) {
        // Of a try that was given up: it says nothing of this one.
        this.#pull();
      } else if (buffer !== null) {
        this.stop();
        this.#onBack();
      } else if (isAskedAt(this.#tries)) {
        pipeline?.askWhyNotStarted();
      }
    });
  }

  /** Null where it cannot be made yet: the next try is near. */
  #pipelineNow(): GstPipeline | null {
    const known = this.#pipelines.get(this.#description);
    if (known !== undefined) return known;
    try {
      const made = new GstPipeline(this.#description, {
        keepsBusThread: true,
        onError: (error) => this.#onError(describeError(error)),
        onEnd: () => undefined,
      });
      this.#pipelines.set(this.#description, made);
      return made;
    } catch (cause) {
      this.#onFault(cause instanceof Error ? cause.message : String(cause));
      return null;
    }
  }

  #onError(said: string): void {
    if (!this.#isWanted) return;
    this.#pipelines.get(this.#description)?.stop();
    this.#onFault(said);
  }
}

function isAskedAt(tries: number): boolean {
  return tries % mostTriesBetweenQuestions === 0 || Number.isInteger(Math.log2(tries));
}
