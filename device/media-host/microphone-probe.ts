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
  #description = '';
  #whyAway: () => string | null = () => null;
  #pipeline: GstPipeline | null = null;
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
    if (description !== this.#description) this.#pipeline = null;
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
    this.#pipeline?.stop();
  }

  #try(): void {
    this.#pipeline?.stop();
    const isAway = this.#whyAway();
    if (isAway !== null) {
      this.#onFault(isAway);
      return;
    }
    try {
      // An error only means: not yet. The next try is near.
      this.#pipeline ??= new GstPipeline(this.#description, {
        keepsBusThread: true,
        onError: (error) => this.#onError(describeError(error)),
        onEnd: () => undefined,
      });
    } catch {
      return;
    }
    this.#tries += 1;
    this.#pipeline.play();
    const sink = this.#pipeline.element('sound');
    if (sink?.pull === undefined || this.#isPulling) return;
    this.#isPulling = true;
    sink.pull((buffer) => {
      this.#isPulling = false;
      if (!this.#isWanted) return;
      if (buffer === null) {
        if (isAskedAt(this.#tries)) this.#pipeline?.askWhyNotStarted();
        return;
      }
      this.stop();
      this.#onBack();
    });
  }

  #onError(said: string): void {
    if (!this.#isWanted) return;
    this.#pipeline?.stop();
    this.#onFault(said);
  }
}

function isAskedAt(tries: number): boolean {
  return tries % mostTriesBetweenQuestions === 0 || Number.isInteger(Math.log2(tries));
}
