/**
 * A device's agent as far as its fleet server sees it: its own outbox, journals, session counter and command runner on a virtual clock
 * and a disk in memory. Only what carries the bytes is a stand-in (network.ts).
 */
import { CommandJournal } from '#device/uplink/command-journal.ts';
import { CommandRunner } from '#device/uplink/command-runner.ts';
import { EventJournal } from '#device/uplink/event-journal.ts';
import { Outbox } from '#device/uplink/outbox.ts';
import { SessionCounter } from '#device/uplink/session-counter.ts';
import type { DownwardName, UpwardBody, UpwardName } from '#protocol/envelope.ts';
import type { Session } from '#protocol/identifiers.ts';
import type { Command, Desired, EventAck } from '#protocol/messages.ts';
import { quietLog } from '../device/quiet-log.ts';
import { MemoryState } from '../device/uplink/memory-state.ts';
import { bodies } from '../fleet-server/api-under-test.ts';
import type { ManualClock } from '../fleet-server/manual-clock.ts';

export type Upward = {
  readonly [N in UpwardName]: { readonly name: N; readonly session: Session; readonly sequence: number; readonly body: UpwardBody<N> };
}[UpwardName];

/** One connection as the agent sees it; `send` resolves with the acknowledgement and rejects when the connection is gone. */
export type Wire = { send(message: Upward): Promise<void>; sendLossy(message: Upward): void };

const eventAckTimeoutMs = 30_000;

export class SimulatedAgent {
  readonly state = new MemoryState();
  /** How often the action of each command was really done, over all lives of the agent. */
  readonly done = new Map<string, number>();
  /** Every revision that was taken, in order. */
  readonly revisions: number[] = [];
  /** Kinds of events that must reach the server once; a kind is used for one event. */
  readonly owed = new Set<string>();
  readonly #clock: ManualClock;
  readonly #wallOffset = { ms: 0 };
  readonly #unwritten = new Set<string>();
  #applied: Desired | null = null;
  #boot = 0;
  #life: Life | null = null;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  get applied(): Desired | null {
    return this.#applied;
  }

  jumpClock(byMs: number): void {
    this.#wallOffset.ms += byMs;
  }

  async start(): Promise<void> {
    this.#boot += 1;
    this.#life = await startLife({
      state: this.state,
      clock: this.#deviceClock(),
      bootId: `boot-${this.#boot}`,
      onDone: (id) => this.done.set(id, (this.done.get(id) ?? 0) + 1),
    });
  }

  /** As a power cut leaves it: what was written is all that is left. An event that was not may have been sent, or never be heard of. */
  kill(): void {
    this.#life?.end();
    this.#life = null;
    const written = this.state.files.get('events.json') ?? '';
    for (const kind of this.#unwritten) if (!written.includes(`"${kind}"`)) this.owed.delete(kind);
    this.#unwritten.clear();
  }

  happen(kind: string): void {
    if (this.#life === null) return;
    this.#life.addEvent(kind);
    this.owed.add(kind);
    this.#unwritten.add(kind);
  }

  /** What is on the disk by now will be said, whatever comes. */
  noteWritten(): void {
    const written = this.state.files.get('events.json') ?? '';
    for (const kind of this.#unwritten) if (written.includes(`"${kind}"`)) this.#unwritten.delete(kind);
  }

  sayHealth(): void {
    this.#life?.sayHealth();
  }

  /** Connected: says who it is, then sends what waits. */
  async connected(makeWire: (session: Session) => Wire): Promise<void> {
    await this.#life?.connected(makeWire, this.#applied);
  }

  disconnected(): void {
    this.#life?.disconnected();
  }

  hear(name: DownwardName, body: unknown): void {
    const life = this.#life;
    if (life === null) return;
    if (name === 'desired') this.#take(body as Desired, life);
    else if (name === 'command') life.command(body as Command, Date.parse((body as Command).deadline) - this.#clock.nowMs());
    else life.acknowledge((body as EventAck).upToNumber);
  }

  #take(desired: Desired, life: Life): void {
    if (desired.revision <= (this.#applied?.revision ?? 0)) return;
    this.#applied = desired;
    this.revisions.push(desired.revision);
    life.applied(desired.revision);
  }

  #deviceClock() {
    const clock = this.#clock;
    return {
      nowMs: () => clock.nowMs() + this.#wallOffset.ms,
      monotonicMs: () => clock.nowMs(),
      schedule: (callback: () => void, delayMs: number) => clock.after(delayMs, callback),
    };
  }
}

type LifeOptions = {
  readonly state: MemoryState;
  readonly clock: ConstructorParameters<typeof EventJournal>[0]['clock'];
  readonly bootId: string;
  onDone(commandId: string): void;
};
type Life = Awaited<ReturnType<typeof startLife>>;

async function startLife({ state, clock, bootId, onDone }: LifeOptions) {
  let isAlive = true;
  // A dead agent writes nothing any more.
  const disk = {
    read: state.read.bind(state),
    write: ((file, value) => (isAlive ? state.write(file, value) : Promise.reject(new Error('dead')))) as MemoryState['write'],
  };
  const events = new EventJournal({ state: disk, clock, log: quietLog() });
  await events.start();
  const outbox = new Outbox(events);
  const sessions = new SessionCounter({ state: disk, bootId, nowMs: clock.nowMs, log: quietLog() });
  let link: { readonly wire: Wire; readonly session: Session } | null = null;
  let sequence = 0;
  let isPumping = false;
  let cancelEventTimer: (() => void) | null = null;
  let appliedRevision = 0;
  let current = '';

  const envelope = <N extends UpwardName>(name: N, body: UpwardBody<N>, session: Session): Upward => {
    sequence += 1;
    return { name, session, sequence, body } as Upward;
  };
  const pump = async (): Promise<void> => {
    const over = link;
    if (isPumping || over === null || !isAlive) return;
    isPumping = true;
    try {
      for (let message = outbox.next(); message !== undefined && over === link && isAlive; message = outbox.next()) {
        await over.wire.send(envelope(message.name, message.body, over.session));
        outbox.sent(message);
      }
      if (outbox.hasUnacknowledgedEvents()) awaitEventAck();
    } catch {
      // The connection ended in the middle: what was not acknowledged still waits.
    } finally {
      isPumping = false;
    }
    if (link !== null && link !== over) void pump();
  };
  const awaitEventAck = (): void => {
    cancelEventTimer ??= clock.schedule(() => {
      cancelEventTimer = null;
      outbox.rewindEvents();
      void pump();
    }, eventAckTimeoutMs);
  };
  events.onReady(() => void pump());
  const done = (): Promise<{ kind: 'applied'; detail: string }> => {
    onDone(current);
    return Promise.resolve({ kind: 'applied', detail: 'frames are coming' });
  };
  const journal = new CommandJournal(disk, bootId);
  const begin = journal.begin.bind(journal);
  // The runner's actions are not told whose they are: the journal is, just before.
  journal.begin = (id, ends) => {
    current = id;
    return begin(id, ends);
  };
  const runner = new CommandRunner({
    journal,
    clock,
    log: quietLog(),
    actions: { 'restart-pipeline': done, 'restart-media-host': done, 'start-recording': done, 'stop-recording': done } as never,
    onResult: (result) => {
      outbox.addResult(result);
      void pump();
    },
  });
  await runner.start();

  return {
    end: () => {
      isAlive = false;
      link = null;
      cancelEventTimer?.();
      runner.stop();
    },
    addEvent: (kind: string) => events.add(kind, ''),
    sayHealth: () => {
      if (link !== null) link.wire.sendLossy(envelope('health', bodies.health(), link.session));
    },
    connected: async (makeWire: (session: Session) => Wire, applied: Desired | null) => {
      const session = await sessions.next();
      if (!isAlive) return;
      sequence = 0;
      appliedRevision = applied?.revision ?? 0;
      const wire = makeWire(session);
      try {
        await wire.send(envelope('presence', bodies.online, session));
        await wire.send(envelope('hello', bodies.hello(appliedRevision, applied?.digest ?? null), session));
      } catch {
        return;
      }
      outbox.rewindEvents();
      outbox.setReport(bodies.report({ appliedRevision }));
      link = { wire, session };
      await pump();
    },
    disconnected: () => {
      link = null;
      cancelEventTimer?.();
      cancelEventTimer = null;
    },
    applied: (revision: number) => {
      appliedRevision = revision;
      outbox.setApplied({ revision, outcome: 'applied', refusals: [], inForceRevision: revision });
      outbox.setReport(bodies.report({ appliedRevision }));
      void pump();
    },
    command: (command: Command, timeLeftMs: number) => runner.receive(command, timeLeftMs),
    acknowledge: (upToNumber: number) => {
      cancelEventTimer?.();
      cancelEventTimer = null;
      events.acknowledge(upToNumber);
      if (outbox.hasUnacknowledgedEvents()) awaitEventAck();
    },
  };
}
