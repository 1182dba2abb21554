/**
 * Where notices of alerts arrive: it takes them late, refuses some, and of some that it has taken no answer comes back. What was taken, and whether
 * the server that sent it was told so, is remembered.
 */
import type { AlertDigest, AlertNotice } from '#protocol/model/alert.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** As a messenger waits. */
const answerMs = 10_000;

type Taken = { readonly alertId: string; readonly event: AlertNotice['event'] };

export class SimulatedChannel {
  readonly #time: VirtualTime;
  readonly #random: Random;
  isFaulty = true;
  readonly #taken: Taken[] = [];
  /** By the server's life that was told that it was taken. */
  readonly #confirmed = new Set<string>();
  readonly #underWay = new Set<(reason: Error) => void>();
  #interruptedLife: number | null = null;
  /** Of what must not happen. */
  problem: string | null = null;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** `life`: which one of the server's sends it. Rejects as a messenger does. */
  tell(life: number, isAlive: () => boolean, message: AlertNotice | AlertDigest): Promise<void> {
    const notices = message.event === 'digest' ? message.notices : [message];
    if (life === this.#interruptedLife) return Promise.reject(unreachable());
    const fate = this.isFaulty ? this.#random.next() : 1;
    return new Promise<void>((resolve, fail) => {
      let isOver = false;
      const end = (work: () => void): void => {
        if (isOver) return;
        isOver = true;
        this.#underWay.delete(reject);
        work();
      };
      const reject = (reason: Error): void => end(() => fail(reason));
      this.#underWay.add(reject);
      this.#time.after(this.#random.between(5, 2500), () => {
        if (fate < 0.2) {
          reject(new Error('expected an answer from 200 to 299, got 503'));
          return;
        }
        for (const notice of notices) this.#take(life, notice);
        if (fate < 0.3) {
          this.#time.after(answerMs, () => reject(new Error('expected an answer within 10 s, got none')));
          return;
        }
        this.#time.after(this.#random.between(1, 500), () => {
          end(() => {
            if (isAlive()) for (const notice of notices) this.#confirmed.add(nameOf(life, notice));
            resolve();
          });
        });
      });
    });
  }

  /** What is under way fails now: a server that stops in order waits for it, and in a run nothing passes meanwhile. */
  interrupt(life: number): void {
    this.#interruptedLife = life;
    for (const fail of this.#underWay) fail(unreachable());
  }

  #take(life: number, notice: AlertNotice): void {
    const { alert, event } = notice;
    if (this.#confirmed.has(nameOf(life, notice)))
      this.problem ??= `expected nothing to be told again after it was confirmed, it was: ${alert.title} (${event})`;
    if (event !== 'resolved' && this.hasTaken(alert.id, 'resolved'))
      this.problem ??= `expected nothing of an alert to be told after its end, it was: ${alert.title} (${event})`;
    this.#taken.push({ alertId: alert.id, event });
  }

  hasTaken(alertId: string, event: AlertNotice['event']): boolean {
    return this.#taken.some((one) => one.alertId === alertId && one.event === event);
  }
}

function nameOf(life: number, { alert, event }: AlertNotice): string {
  return `${life} ${alert.id} ${event}`;
}

function unreachable(): Error {
  return new Error('it cannot be reached (ECONNRESET)');
}
