/**
 * Where notices of alerts arrive, at any of the channels: it takes them late, refuses some, and of some that it has taken no answer comes back. What was taken, and whether
 * the server that sent it was told so, is remembered.
 */
import type { Alert, AlertDigest, AlertNotice } from '#protocol/model/alert.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** As a messenger waits. */
const answerMs = 10_000;

type Event = AlertNotice['event'];
/** `at`: which of the channels. */
type Taken = { readonly at: string; readonly alertId: string; readonly event: Event };
type Sent = Pick<Alert, 'id' | 'ruleName' | 'title' | 'acknowledgedBy'> & { readonly event: Event; readonly atMs: number };

/** `life`: which one of the server's sends it; `at`: to which channel. */
type Teller = { readonly life: number; readonly at: string; isAlive(): boolean };

export class SimulatedChannel {
  readonly #time: VirtualTime;
  readonly #random: Random;
  isFaulty = true;
  readonly #taken: Taken[] = [];
  #sent: Sent[] = [];
  readonly #everSent = new Set<string>();
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

  /** Rejects as a messenger does. */
  tell({ life, at, isAlive }: Teller, message: AlertNotice | AlertDigest): Promise<void> {
    const notices = message.event === 'digest' ? message.notices : [message];
    for (const { alert, event } of notices) {
      this.#sent.push({ ...alert, event, atMs: this.#time.nowMs });
      this.#everSent.add(`${alert.id} ${event}`);
    }
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
        for (const notice of notices) this.#take(life, at, notice);
        if (fate < 0.3) {
          this.#time.after(answerMs, () => reject(new Error('expected an answer within 10 s, got none')));
          return;
        }
        this.#time.after(this.#random.between(1, 500), () => {
          end(() => {
            if (isAlive()) for (const notice of notices) this.#confirmed.add(nameOf(life, at, notice));
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

  #take(life: number, at: string, notice: AlertNotice): void {
    const { alert, event } = notice;
    if (this.#confirmed.has(nameOf(life, at, notice)))
      this.problem ??= `expected nothing to be told again after it was confirmed, it was: ${alert.title} (${event})`;
    if (event !== 'resolved' && this.hasTaken(alert.id, 'resolved', at))
      this.problem ??= `expected nothing of an alert to be told after its end, it was: ${alert.title} (${event})`;
    this.#taken.push({ at, alertId: alert.id, event });
  }

  /** `at`: only there; else at any of them. */
  hasTaken(alertId: string, event: Event, at: string | null = null): boolean {
    return this.#taken.some((one) => one.alertId === alertId && one.event === event && (at === null || one.at === at));
  }

  /** Whether it was taken or not. */
  wasSent(alertId: string, event: Event): boolean {
    return this.#everSent.has(`${alertId} ${event}`);
  }

  /** Since it was asked last. */
  takeSent(): readonly Sent[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }
}

function nameOf(life: number, at: string, { alert, event }: AlertNotice): string {
  return `${life} ${at} ${alert.id} ${event}`;
}

function unreachable(): Error {
  return new Error('it cannot be reached (ECONNRESET)');
}
