/**
 * What waits to be sent, bounded: of a state only the latest is kept, of results the last 200; events stay in their
 * journal, and health in its backlog. Nothing else is queued anywhere, so a day without network costs no memory and no flood afterwards.
 */
import type { UpwardBody } from '#protocol/envelope.ts';
import type { CommandResult, Event, HealthBacklog } from '#protocol/messages.ts';

export const maxWaitingResults = 200;

export type AcknowledgedName = 'applied' | 'command-result' | 'event' | 'report' | 'health-backlog';
export type AcknowledgedMessage =
  | { readonly [N in AcknowledgedName]: { readonly name: N; readonly body: UpwardBody<N> } }[AcknowledgedName]
  /** A bare picture. */
  | { readonly name: 'snapshot'; readonly body: Buffer };

/** The events that wait in the journal. */
export type WaitingEvents = { readonly nextAfter: (number: number) => Event | undefined };

/** Health of the time without a server. */
export type WaitingHealth = { readonly next: () => HealthBacklog | null; readonly drop: (count: number) => void };

const noHealth: WaitingHealth = { next: () => null, drop: () => undefined };

export class Outbox {
  readonly #events: WaitingEvents;
  readonly #health: WaitingHealth;
  #applied: UpwardBody<'applied'> | null = null;
  #report: UpwardBody<'report'> | null = null;
  #results: CommandResult[] = [];
  #snapshot: Buffer | null = null;
  /** The last event sent over the present connection; the journal forgets it when the server has said that it is stored. */
  #sentEventNumber = 0;

  constructor(events: WaitingEvents, health: WaitingHealth = noHealth) {
    this.#events = events;
    this.#health = health;
  }

  /** A report of before waits no longer: said after this it would take the revision back, and the change has a report of its own. */
  setApplied(body: UpwardBody<'applied'>): void {
    this.#applied = body;
    if (this.#report !== null && this.#report.appliedRevision < body.inForceRevision) this.#report = null;
  }

  setReport(body: UpwardBody<'report'>): void {
    this.#report = body;
  }

  /** Only the latest is kept. It goes before the result of the command that asked for it. */
  setSnapshot(jpeg: Buffer): void {
    this.#snapshot = jpeg;
  }

  /** A new connection: a picture from before it would be shown as one of now. */
  dropSnapshot(): void {
    this.#snapshot = null;
  }

  addResult(result: CommandResult): void {
    this.#results = [...this.#results.filter(({ id }) => id !== result.id), result].slice(-maxWaitingResults);
  }

  /** A new connection, or no word from the server for too long: what it has not acknowledged is sent again, from the first. */
  rewindEvents(): void {
    this.#sentEventNumber = 0;
  }

  /** What to send next, most wanted first. It stays here until `sent`. */
  next(): AcknowledgedMessage | undefined {
    if (this.#applied !== null) return { name: 'applied', body: this.#applied };
    if (this.#snapshot !== null) return { name: 'snapshot', body: this.#snapshot };
    const result = this.#results[0];
    if (result !== undefined) return { name: 'command-result', body: result };
    const event = this.#events.nextAfter(this.#sentEventNumber);
    if (event !== undefined) return { name: 'event', body: { ...event, oldestNumber: this.#events.nextAfter(0)?.number ?? event.number } };
    if (this.#report !== null) return { name: 'report', body: this.#report };
    const health = this.#health.next();
    return health === null ? undefined : { name: 'health-backlog', body: health };
  }

  /** The broker has it. A newer one that came in the meantime stays. */
  sent(message: AcknowledgedMessage): void {
    switch (message.name) {
      case 'applied':
        if (this.#applied === message.body) this.#applied = null;
        return;
      case 'snapshot':
        if (this.#snapshot === message.body) this.#snapshot = null;
        return;
      case 'report':
        if (this.#report === message.body) this.#report = null;
        return;
      case 'health-backlog':
        this.#health.drop(message.body.samples.length);
        return;
      case 'command-result':
        this.#results = this.#results.filter((result) => result !== message.body);
        return;
      case 'event':
        this.#sentEventNumber = Math.max(this.#sentEventNumber, message.body.number);
        return;
      default:
        message satisfies never;
    }
  }

  hasUnacknowledgedEvents(): boolean {
    return this.#sentEventNumber > 0 && this.#events.nextAfter(0) !== undefined;
  }
}
