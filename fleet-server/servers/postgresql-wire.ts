/**
 * The wire between servers on one PostgreSQL database: NOTIFY for messages, an advisory lock for the one that leads.
 *
 * INVARIANTS
 * - The lock is the session's: it is gone with the connection, and so is the leadership, before another server can have it.
 * - A connection that does not answer within `answerMs` counts as gone.
 * - A leader proves every `lookMs` that it lives. One that has not for `leaseMs` leads no more, by its own clocks (it was frozen, or its machine
 *   slept), and only then, after `silentMs`, another server ends its session, so that the lock is free: PostgreSQL would keep it for as long as
 *   TCP believes in the connection of a machine without power, and for ever for a process that is stopped.
 */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { Compile } from 'typebox/compile';
import { type Clock, type Moment, momentOf } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import { type FleetServers, ServerMessage } from '#fleet-server/servers/contract.ts';

const channel = 'makespacelive';
/** Of an application's own choice, as that of the migrations. */
const leaderLock = 1_297_304_626;
/** Messages of one moment go together. */
const gatherMs = 20;
/** NOTIFY takes 8000 bytes. */
const maxNotifyBytes = 7500;
const maxWaiting = 10_000;
const lookMs = 2000;
const answerMs = 3000;
const reconnectMs = 1000;
/** Longer than a look and its answer take. */
const leaseMs = 7000;
const silentMs = 10_000;
/** PostgreSQL's own end of the connection, where no other server is there to end it. */
const keepalives =
  'set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3; set tcp_user_timeout = 10000';

const serverMessage = Compile(ServerMessage);

export type PostgresqlWireOptions = { readonly url: string; readonly clock: Clock; readonly log: Log };

export class PostgresqlWire implements FleetServers {
  readonly id = randomUUID();
  readonly isAlone = false;
  readonly #options: PostgresqlWireOptions;
  readonly #listeners: ((message: ServerMessage) => void)[] = [];
  readonly #gapListeners: (() => void)[] = [];
  #client: Client | null = null;
  #isLeader = false;
  /** When the last question was asked that the leader's own session has answered. */
  #proved: Moment = { nowMs: 0, monotonicMs: 0 };
  #isStopped = false;
  #waiting: ServerMessage[] = [];
  #sending: Promise<void> = Promise.resolve();
  #cancels = new Set<() => void>();

  constructor(options: PostgresqlWireOptions) {
    this.#options = options;
  }

  /** Asked before everything that is timed. */
  isLeader(): boolean {
    if (!this.#isLeader) return false;
    const { nowMs, monotonicMs } = momentOf(this.#options.clock);
    // The one stands still while a machine sleeps, and the other is set.
    return nowMs - this.#proved.nowMs < leaseMs && monotonicMs - this.#proved.monotonicMs < leaseMs;
  }

  onTold(listener: (message: ServerMessage) => void): void {
    this.#listeners.push(listener);
  }

  onGap(listener: () => void): void {
    this.#gapListeners.push(listener);
  }

  /** Goes on trying by itself when the database is away. */
  async start(): Promise<void> {
    await this.#connect();
  }

  /** Gives the leadership back at once; may be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    await this.#sending;
    const client = this.#client;
    this.#client = null;
    this.#isLeader = false;
    await client?.end().catch(() => undefined);
  }

  tell(message: ServerMessage): void {
    // What is told to nobody is found in the tables; a burst beyond the bound is one gap.
    if (this.#client === null || this.#waiting.length >= maxWaiting) return;
    this.#waiting.push(message);
    if (this.#waiting.length === 1) this.#after(gatherMs, () => this.#flush());
  }

  async #connect(): Promise<void> {
    const client = new Client({
      connectionString: this.#options.url,
      application_name: 'makespacelive fleet server, messages',
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
      keepAlive: true,
    });
    const lose = (cause: unknown) => this.#onLost(client, cause);
    client.on('error', lose);
    client.on('end', () => lose(new Error('the connection was closed')));
    client.on('notification', ({ payload }) => this.#onPayload(payload ?? ''));
    try {
      await client.connect();
      await client.query(keepalives);
      await client.query(`listen ${channel}`);
    } catch (cause) {
      lose(cause);
      client.end().catch(() => undefined);
      this.#after(reconnectMs, () => void this.#connect());
      return;
    }
    if (this.#isStopped) {
      await client.end();
      return;
    }
    this.#client = client;
    for (const listener of this.#gapListeners) listener();
    await this.#look(client);
  }

  #onLost(client: Client, cause: unknown): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#isLeader = false;
    this.#waiting = [];
    if (this.#isStopped) return;
    this.#options.log.warn({ err: cause }, 'the connection for messages between fleet servers was lost; another one is opened');
    client.end().catch(() => undefined);
    this.#after(reconnectMs, () => void this.#connect());
  }

  /** Proves that the connection lives, and takes the leadership when nobody has it, or from one that is silent. */
  async #look(client: Client): Promise<void> {
    const asked = momentOf(this.#options.clock);
    try {
      if (this.#isLeader) await client.query('select 1');
      else if (await takeLock(client)) {
        if (this.#client === client) {
          this.#isLeader = true;
          this.#options.log.info({ serverId: this.id }, 'this fleet server leads: it does the timed jobs of all');
        }
      } else {
        const ended = await endSilentLeader(client);
        if (ended > 0)
          this.#options.log.warn({ serverId: this.id }, 'the fleet server that led has been silent: another one takes the lead');
      }
      this.#proved = asked;
    } catch (cause) {
      this.#onLost(client, cause);
      return;
    }
    this.#after(lookMs, () => {
      if (this.#client === client) void this.#look(client);
    });
  }

  #flush(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    const payloads: string[] = [];
    let part: string[] = [];
    let bytes = 0;
    const close = () => {
      if (part.length > 0) payloads.push(`{"from":"${this.id}","messages":[${part.join(',')}]}`);
      part = [];
      bytes = 0;
    };
    // A burst about one thing wakes once.
    for (const text of new Set(messages.map((message) => JSON.stringify(message)))) {
      if (bytes + text.length > maxNotifyBytes) close();
      part.push(text);
      bytes += Buffer.byteLength(text) + 1;
    }
    close();
    this.#sending = this.#sending.then(() => this.#send(payloads));
  }

  async #send(payloads: readonly string[]): Promise<void> {
    const client = this.#client;
    if (client === null) return;
    try {
      for (const payload of payloads) await client.query('select pg_notify($1, $2)', [channel, payload]);
    } catch (cause) {
      this.#onLost(client, cause);
    }
  }

  #onPayload(payload: string): void {
    let value: unknown;
    try {
      value = JSON.parse(payload);
    } catch {
      return;
    }
    if (typeof value !== 'object' || value === null || !('from' in value) || !('messages' in value)) return;
    if (value.from === this.id || !Array.isArray(value.messages)) return;
    for (const message of value.messages) {
      // A newer server may say what this one does not know.
      if (serverMessage.Check(message)) for (const listener of this.#listeners) listener(message);
    }
  }

  #after(ms: number, work: () => void): void {
    if (this.#isStopped) return;
    const cancel = this.#options.clock.after(ms, () => {
      this.#cancels.delete(cancel);
      work();
    });
    this.#cancels.add(cancel);
  }
}

async function takeLock(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ isMine: boolean }>('select pg_try_advisory_lock($1) as "isMine"', [leaderLock]);
  return rows[0]?.isMine === true;
}

/** By the database's clock: whoever holds the lock and has asked nothing for so long. Answers how many sessions it ended. */
async function endSilentLeader(client: Client): Promise<number> {
  const { rows } = await client.query<{ isEnded: boolean }>(
    `select pg_terminate_backend(a.pid) as "isEnded" from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid = 0 and l.objid = $1::bigint::oid
       and l.database = (select oid from pg_database where datname = current_database())
       and a.state_change < clock_timestamp() - make_interval(secs => $2)`,
    [leaderLock, silentMs / 1000],
  );
  return rows.filter(({ isEnded }) => isEnded).length;
}
