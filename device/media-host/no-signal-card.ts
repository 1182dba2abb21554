/** The card that is on air while the capture gives no picture. */
import type { Clock } from '#device/media/clock.ts';
import { Capture } from '#device/media-host/capture.ts';
import { EntryGate } from '#device/media-host/entry-gate.ts';
import type { Tag } from '#device/media-host/flv.ts';
import type { CardPlan, LiveProperty } from '#device/plan/pipeline-plan.ts';

export type NoSignalCardHandlers = {
  /** Its tags follow, with a time line of their own. */
  readonly onAir: () => void;
  readonly onTag: (tag: Tag) => void;
  readonly onPicture: (picture: Buffer) => void;
  /** It is off the air by then. */
  readonly onFailed: (reason: string) => void;
};

/** As the planner names what shows the text. */
export const cardElement = 'card';

export class NoSignalCard {
  readonly #clock: Clock;
  readonly #handlers: NoSignalCardHandlers;
  readonly #gate = new EntryGate();
  #plan: CardPlan | null = null;
  #capture: Capture | null = null;
  #isWanted = false;

  constructor(clock: Clock, handlers: NoSignalCardHandlers) {
    this.#clock = clock;
    this.#handlers = handlers;
  }

  get isOnAir(): boolean {
    return this.#gate.isOpen;
  }

  get isStarted(): boolean {
    return this.#isWanted;
  }

  /** One that runs goes on where only its bitrate differs. Null: there is none. */
  setPlan(plan: CardPlan | null): void {
    if (plan?.description !== this.#plan?.description) {
      const wasStarted = this.#isWanted;
      this.stop();
      this.#capture = plan === null ? null : this.#newCapture(plan.description);
      this.#plan = plan;
      if (wasStarted) this.start();
      return;
    }
    this.#plan = plan;
    if (this.#isWanted && plan !== null) this.setLive(plan.live);
  }

  /** What a change of bitrate sets while the capture runs holds for the card as well. */
  setLive(live: readonly LiveProperty[]): void {
    this.#capture?.setLive(live);
  }

  /** Makes all that can be made ahead, so that the card is there at once when it is needed. */
  prepare(): void {
    this.#capture?.prepare();
  }

  /** False where there is no card, or it cannot be made. */
  start(): boolean {
    if (this.#isWanted) return true;
    if (this.#plan === null || this.#capture === null) return false;
    this.#gate.reset();
    if (this.#capture.start(this.#plan.live) !== null) return false;
    this.#isWanted = true;
    return true;
  }

  /** A card without overlay elements has no text. */
  setText(text: string): void {
    this.#capture?.setText(cardElement, text);
  }

  /** May be called twice. */
  stop(): void {
    this.#isWanted = false;
    this.#capture?.stop();
    this.#gate.reset();
  }

  #newCapture(description: string): Capture {
    return new Capture(description, this.#clock, {
      onTag: (tag) => {
        for (const passed of this.#gate.pass(tag, this.#handlers.onAir)) this.#handlers.onTag(passed);
      },
      onPicture: (picture) => {
        if (this.isOnAir) this.#handlers.onPicture(picture);
      },
      onLookFailed: () => undefined,
      onSamples: () => undefined,
      onTick: () => undefined,
      onLuma: () => undefined,
      onFailed: ({ reason }) => {
        this.stop();
        this.#handlers.onFailed(reason);
      },
    });
  }
}
