/**
 * What must hold of when alerts are told, and to whom else: nothing in quiet hours, and what they held back after them; once to those who are asked
 * when nobody has acknowledged it in time, no sooner, and of what was acknowledged or over before not at all; and to nobody that nobody has once
 * somebody did.
 */
import type { QuietHours } from '#protocol/model/alert.ts';
import type { Beliefs } from './beliefs.ts';
import type { SimulatedChannel } from './simulated-channel.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import type { SimulatedServer } from './simulated-server.ts';

export const escalateAfterS = 6;
/** Two looks of the server, of a second each, and this run's own. */
const lookMs = 2500;
/** One of the server's looks. */
const unseenMs = 1200;
const minuteMs = 60_000;

type Known = {
  readonly isAcknowledged: boolean;
  readonly isSettled: boolean;
  readonly isEscalated: boolean;
  readonly isUnheard: boolean;
  readonly heardMs: number;
};

export class TellingWatch {
  readonly #channel: SimulatedChannel;
  /** By the rule's name, as an answer acknowledged it; undefined: one is on its way. */
  readonly quietHours = new Map<string, QuietHours | null | undefined>();
  /** Of answers that came. */
  readonly acknowledged = new Set<string>();
  /** By the rule's name, at the looks before this one. */
  readonly #quietSinceMs = new Map<string, number>();
  readonly #known = new Map<string, Known>();
  readonly #escalations = new Map<string, string>();
  #lookedAtMs = 0;

  constructor(channel: SimulatedChannel) {
    this.#channel = channel;
  }

  look(server: SimulatedServer | null, database: SimulatedDatabase, beliefs: Beliefs): void {
    const { nowMs } = beliefs;
    const passedMs = server === null ? 0 : nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    const isQuiet = (ruleName: string): boolean => server !== null && isIn(this.quietHours.get(ruleName) ?? null, server.wallMs());
    for (const { id, event, ruleName, title, acknowledgedBy, atMs } of this.#channel.takeSent()) {
      if (event === 'escalated' && acknowledgedBy === null && this.#known.get(id)?.isAcknowledged === true)
        throw new Error(`expected nobody to be told that nobody has acknowledged ${title}, somebody had`);
      const sinceMs = this.#quietSinceMs.get(ruleName);
      if (sinceMs !== undefined && atMs > sinceMs && isQuiet(ruleName))
        throw new Error(`expected nothing to be told in quiet hours, ${title} was, ${atMs - sinceMs} ms after they began`);
    }
    const untold = this.#untold(database);
    for (const row of database.rows('select * from "alerts"')) {
      const [id, title, ruleName] = [String(row['id']), String(row['title']), String(row['ruleName'])];
      const before = this.#known.get(id);
      const quietMs = nowMs - (this.#quietSinceMs.get(ruleName) ?? nowMs);
      const isUnheard = (before?.isUnheard ?? quietMs > unseenMs) && isQuiet(ruleName) && !this.#channel.wasSent(id, 'opened');
      const heardMs = (before?.heardMs ?? 0) + (before === undefined || isUnheard ? 0 : passedMs);
      const isAcknowledged = row['acknowledgedAtMs'] !== null;
      const isSettled = isAcknowledged || row['resolvedAtMs'] !== null;
      const isEscalated = row['escalatedAtMs'] !== null;
      this.#known.set(id, { isAcknowledged, isSettled, isEscalated, isUnheard, heardMs });
      if (isEscalated && before?.isEscalated !== true) {
        if (before?.isSettled === true) throw new Error(`expected no escalation of what was acknowledged or over: ${title}`);
        if (heardMs < escalateAfterS * 1000 - unseenMs)
          throw new Error(`expected ${title} to wait ${escalateAfterS} s for somebody, it was escalated after ${heardMs} ms`);
      }
      if (isEscalated && !isSettled && !untold.has(`${id} escalated`) && !this.#channel.hasTaken(id, 'escalated'))
        throw new Error(`expected the escalation to be told: ${title}`);
      const isFree = row['deviceId'] === null || beliefs.lastsMs(String(row['deviceId']), 'free') !== null;
      const waits = row['escalateInMs'] !== null && !isEscalated && !isSettled && isFree && !untold.has(`${id} opened`);
      beliefs.note(id, 'waits', server !== null && waits);
      const waitsMs = beliefs.lastsMs(id, 'waits') ?? 0;
      if (waitsMs > escalateAfterS * 1000 + lookMs + unseenMs && beliefs.isDiskGoodFor(waitsMs))
        throw new Error(`expected ${title} to be escalated, nobody has acknowledged it for ${waitsMs} ms`);
    }
    for (const ruleName of this.quietHours.keys()) {
      if (!isQuiet(ruleName)) this.#quietSinceMs.delete(ruleName);
      else if (!this.#quietSinceMs.has(ruleName)) this.#quietSinceMs.set(ruleName, nowMs);
    }
  }

  /** What is still to be told, by alert and event. */
  #untold(database: SimulatedDatabase): ReadonlySet<string> {
    const untold = new Set<string>();
    for (const { id, alertId, event } of database.rows('select "id", "alertId", "event" from "alertNotices"')) {
      untold.add(`${alertId} ${event}`);
      if (event !== 'escalated') continue;
      const first = this.#escalations.get(String(alertId)) ?? String(id);
      this.#escalations.set(String(alertId), first);
      if (first !== String(id)) throw new Error(`expected an alert to be escalated once, ${alertId} was again`);
    }
    return untold;
  }

  checkTheEnd(database: SimulatedDatabase): void {
    for (const { id, title, acknowledgedAtMs } of database.rows('select "id", "title", "acknowledgedAtMs" from "alerts"'))
      if (this.acknowledged.has(String(id)) && acknowledgedAtMs === null)
        throw new Error(`expected it to be known that somebody acknowledged ${title}`);
  }
}

/** The minute of this moment, each day. */
export function minuteAt(wallMs: number): QuietHours {
  return { from: timeOfDay(wallMs), to: timeOfDay(wallMs + minuteMs), timeZone: 'UTC' };
}

function isIn(hours: QuietHours | null, wallMs: number): boolean {
  return hours !== null && timeOfDay(wallMs) === hours.from;
}

function timeOfDay(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(11, 16);
}
