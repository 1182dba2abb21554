/**
 * What Aedes passes its messages through, cut down to those to itself (`$SYS/`: that a client id came anew, that this broker lives).
 *
 * Why: no device may read what another one writes, and what is for a device goes straight to its connection (publish-queue.ts). The tree
 * of topics in which Aedes would look up each message holds three paths a device, and nobody would ever be found in it.
 */
export type PassedMessage = { readonly topic: string };
export type MessageListener = (message: PassedMessage, done: () => void) => void;

const ownPrefix = '$SYS/';
type Listening = { readonly pattern: readonly string[]; readonly listener: MessageListener };

/** The part of an mqemitter (https://github.com/mcollina/mqemitter) that Aedes uses; of patterns a `+` for one level. */
export class OwnMessages {
  #listening: Listening[] = [];
  #isClosed = false;

  on(topic: string, listener: MessageListener, done: () => void = () => {}): void {
    if (topic.startsWith(ownPrefix)) this.#listening.push({ pattern: topic.split('/'), listener });
    setImmediate(done);
  }

  removeListener(topic: string, listener: MessageListener, done: () => void = () => {}): void {
    if (topic.startsWith(ownPrefix)) this.#listening = this.#listening.filter((one) => one.listener !== listener);
    setImmediate(done);
  }

  /** `done` when all who listen have dealt with it. */
  emit(message: PassedMessage, done: (error?: Error) => void): void {
    if (this.#isClosed) {
      done(new Error('the broker is closed'));
      return;
    }
    if (!message.topic.startsWith(ownPrefix)) {
      done();
      return;
    }
    const levels = message.topic.split('/');
    const meant = this.#listening.filter(({ pattern }) => matches(pattern, levels));
    let left = meant.length;
    if (left === 0) done();
    for (const { listener } of meant) {
      listener(message, () => {
        left -= 1;
        if (left === 0) done();
      });
    }
  }

  close(done: () => void): void {
    this.#isClosed = true;
    setImmediate(done);
  }
}

function matches(pattern: readonly string[], levels: readonly string[]): boolean {
  return pattern.length === levels.length && pattern.every((level, index) => level === '+' || level === levels[index]);
}
