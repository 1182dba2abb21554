/**
 * A device's agent as far as its fleet server sees it: its own uplink, outbox, journals, session counter, credentials, settings and command
 * runner on a virtual clock and a disk in memory. Only pictures, and what carries the bytes, are stand-ins.
 */
import { createHash } from 'node:crypto';
import type { BoardIdentity, UnjudgedDesired } from '#protocol/messages.ts';
import { quietLog } from '../device/quiet-log.ts';
import { MemoryState } from '../device/uplink/memory-state.ts';
import { type Life, startLife } from './agent-life.ts';
import type { Random } from './random.ts';
import type { Network } from './simulated-connection.ts';
import type { WallClock } from './virtual-time.ts';

export type AgentParts = {
  readonly network: Network;
  readonly random: Random;
  readonly deviceId: string;
  readonly credential: string;
  /** Null: it does not say which one it is on. */
  readonly board: BoardIdentity | null;
};

/** Boots of two boards have no number in common. */
const copiesBootAfter = 1000;

export function boardOf(name: string): BoardIdentity {
  return { id: createHash('sha256').update(name).digest('hex').slice(0, 16), hostName: name };
}

export class SimulatedAgent {
  readonly parts: AgentParts;
  readonly state = new MemoryState();
  readonly wall: WallClock = { offsetMs: 0 };
  readonly log = quietLog();
  /** How often what each command asks for was really begun, over all lives of the agent. */
  readonly done = new Map<string, number>();
  /** Of each revision that came into force, in order, over all lives. */
  readonly revisions: number[] = [];
  /** Details of events that must reach the server once; each is used for one event. */
  readonly owed = new Set<string>();
  /** Of all documents that reached it. */
  newest: UnjudgedDesired | null = null;
  /** Every credential that it ever had. */
  readonly credentials = new Set<string>();
  /** Whether new settings may be found not to run. */
  isPictureFaulty = true;
  /** Its capture gives nothing, and it says so. */
  #isFailed = false;
  /** What it sends does not get to the relay, and it does not know. */
  isStreamLost = false;
  readonly #documents = new Map<number, UnjudgedDesired>();
  readonly #inForceMs = new Map<number, number>();
  /** From its goodbye to its next start. */
  isStopping = false;
  readonly #unwritten = new Set<string>();
  #boot = 0;
  #life: Life | null = null;

  constructor(parts: AgentParts) {
    this.parts = parts;
    this.credentials.add(parts.credential);
    this.state.files.set(
      'credentials.json',
      JSON.stringify({ fleetUrl: 'http://fleet.local', deviceId: parts.deviceId, credential: parts.credential }),
    );
  }

  /** Its card, copied into another board. */
  copy(): SimulatedAgent {
    const { board } = this.parts;
    const copy = new SimulatedAgent({ ...this.parts, board: board === null ? null : boardOf('copy') });
    for (const [name, text] of this.state.files) copy.state.files.set(name, text);
    copy.#boot = copiesBootAfter;
    return copy;
  }

  get life(): Life | null {
    return this.#life;
  }

  get isFailed(): boolean {
    return this.#isFailed;
  }

  setFailed(isFailed: boolean): void {
    if (this.#isFailed === isFailed) return;
    this.#isFailed = isFailed;
    this.#life?.report();
  }

  /** By a restart of whatever it is: more often than not it helps. */
  mend(): void {
    if (this.#isFailed && (!this.isPictureFaulty || this.parts.random.chance(0.3))) this.setFailed(false);
  }

  /** Whether the relay receives it. */
  get isPublishing(): boolean {
    return this.#life !== null && !this.#isFailed && !this.isStreamLost;
  }

  /** After a power cut: a new boot. */
  async start(): Promise<void> {
    this.#boot += 1;
    this.mend();
    this.isStopping = false;
    this.#life = await startLife(this, `boot-${this.#boot}`);
  }

  /** Its process ends and comes back, as the command says and as systemd does. */
  async restart(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    this.isStopping = true;
    await life.stop();
    if (this.#life !== life) return;
    this.isStopping = false;
    this.mend();
    this.#life = await startLife(this, `boot-${this.#boot}`);
  }

  /** As a power cut leaves it: what was written is all that is left. An event that was not may have been sent, or never be heard of. */
  kill(): void {
    this.#life?.end();
    this.#life = null;
    this.noteWritten();
    for (const detail of this.#unwritten) this.owed.delete(detail);
    this.#unwritten.clear();
  }

  happen(detail: string): void {
    if (this.#life === null) return;
    this.#life.addEvent('sim', detail);
    this.owed.add(detail);
    this.#unwritten.add(detail);
  }

  /** What is on the disk by now will be said, whatever comes. */
  noteWritten(): void {
    if (this.#unwritten.size === 0) return;
    const written = this.state.files.get('events.json') ?? '';
    for (const detail of this.#unwritten) if (written.includes(`"${detail}"`)) this.#unwritten.delete(detail);
  }

  noteDesired(desired: UnjudgedDesired): void {
    this.#documents.set(desired.revision, desired);
    if (desired.revision > (this.newest?.revision ?? 0)) this.newest = desired;
  }

  noteInForce(revision: number): void {
    if (revision === 0 || this.revisions.at(-1) === revision) return;
    this.revisions.push(revision);
    this.#inForceMs.set(revision, this.parts.network.time.nowMs);
  }

  /** Since when that value of its group's was first in force; null: it never was. */
  inForceSinceMs(key: string, value: unknown): number | null {
    const first = this.revisions.find((revision) => this.#documents.get(revision)?.levels.group[key] === value);
    return first === undefined ? null : (this.#inForceMs.get(first) ?? null);
  }

  noteDone(commandId: string): void {
    this.done.set(commandId, (this.done.get(commandId) ?? 0) + 1);
  }
}
