/**
 * Where the tags of a capture come onto the bus: nothing passes before a keyframe, and the headers that a decoder needs go with
 * it. So a capture can run beside the one on air until it has a picture to show.
 */
import type { Tag } from '#device/media-host/flv.ts';

const headerOrder = ['script', 'video', 'audio'] as const;

export class EntryGate {
  readonly #headers = new Map<Tag['kind'], Tag>();
  #isOpen = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What may go on; where the gate opens with this tag, `onOpen` is called before it answers. */
  pass(tag: Tag, onOpen: () => void): readonly Tag[] {
    if (tag.isHeader) this.#headers.set(tag.kind, tag);
    if (this.#isOpen) return [tag];
    if (!tag.isKeyframe) return [];
    this.#isOpen = true;
    onOpen();
    const headers = headerOrder.map((kind) => this.#headers.get(kind)).filter((header) => header !== undefined);
    return [...headers, tag];
  }

  /** Something else is on air; the pipeline behind the gate goes on, and its headers hold. */
  close(): void {
    this.#isOpen = false;
  }

  /** A new run has headers of its own. */
  reset(): void {
    this.#isOpen = false;
    this.#headers.clear();
  }
}
