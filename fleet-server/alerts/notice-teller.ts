/**
 * Tells what is due to whom it concerns: each channel for itself, one message of an alert each, or all in one when it would be too many.
 *
 * INVARIANTS
 * - A notice is tried until it is taken, with growing pauses, for about a day, by their number, since a clock may be set; then it is given up
 *   and the channel shows why.
 * - In its rule's quiet hours nothing is told, however it came to be due then: what was refused before, or waited for its turn.
 * - One that hangs holds up itself alone.
 * - What a mail server takes for some and refuses for others shows on the channel; for those who may take it later it is tried again, for ten
 *   minutes, by the same server for them alone.
 * - At one channel what is told of one alert keeps its order: that it is over never comes before that it began. So the one waits for the other,
 *   however often that is tried; and as long as the server that led before may still be telling that one began, no end is told.
 * - What is under way when this server stops, or leads no more, is broken off and stays to be told: at least once, and never lost.
 * - What was taken is not told again by the same server, also when a full disk keeps that from being written.
 * - Told is how the alert is at that moment: what waited since is not told as it was. Only its end is told by the notice of its end.
 */
import { createHash } from 'node:crypto';
import { toAlert } from '#fleet-server/alerts/alert-view.ts';
import * as store from '#fleet-server/alerts/alerts-store.ts';
import { digestOf, digestPolicy, nothingTold, planTelling, recent, type Told } from '#fleet-server/alerts/digest.ts';
import { answerMs, PartlyTold } from '#fleet-server/alerts/messenger.ts';
import { inOrder } from '#fleet-server/alerts/notice-order.ts';
import { quietUntilMs } from '#fleet-server/alerts/quiet-hours.ts';
import type { Clock } from '#fleet-server/clock.ts';
import type { Log } from '#fleet-server/log.ts';
import type { AlertChannelsTable, AlertNoticesTable, Database } from '#fleet-server/store/schema.ts';
import type { Secrets } from '#fleet-server/store/secrets.ts';
import type { AlertDigest, AlertNotice, AlertTarget } from '#protocol/model/alert.ts';

export type NoticeTellerOptions = {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Of the dashboard, for links. */
  readonly publicUrl: string | null;
  /** `signal`: nobody waits for it any more. */
  tell(target: AlertTarget, message: AlertNotice | AlertDigest, signal: AbortSignal): Promise<void>;
};

/** At one channel. */
const noticesAtOnce = 5;
/** Longer than the server that led before can have something under way. */
const formerLeaderMs = answerMs + 2000;
/** For what is under way when the server stops: it has to be gone in a few seconds (process/serve.ts). */
const lastAnswerMs = 1500;
const retryPolicy = { firstMs: 5000, factor: 3, capMs: 3_600_000, attempts: 34 } as const;
/** For ten minutes, longer than a mail server keeps a stranger waiting: those who took it hear nothing of its end meanwhile. */
const partlyAttempts = 6;

type Lead = { readonly sinceMs: number; readonly end: AbortController };
/** `later`: of several only these are still to be told; null: nobody has taken it. */
type Refused = { readonly kind: 'refused'; readonly problem: string; readonly later: readonly string[] | null };
/** `problem`: it was refused by some for good. */
type Outcome = { readonly kind: 'taken'; readonly problem: string | null } | Refused | { readonly kind: 'broken-off' };

export class NoticeTeller {
  readonly #options: NoticeTellerOptions;
  /** Null: this server does not lead. `sinceMs`: by the monotonic clock. */
  #lead: Lead | null = null;
  #finding: Promise<void> | null = null;
  readonly #telling = new Map<string, Promise<void>>();
  /** Ids of notices that were taken, and could not be removed from the store yet. */
  readonly #taken = new Set<string>();
  /** By the notice's id: who of several has not taken it yet. */
  readonly #left = new Map<string, readonly string[]>();

  constructor(options: NoticeTellerOptions) {
    this.#options = options;
  }

  /** At the server that leads. */
  tick(): void {
    this.#lead ??= { sinceMs: this.#options.clock.monotonicMs(), end: new AbortController() };
    this.#finding ??= this.#tellDue(this.#lead)
      .catch((err: unknown) => this.#failed(err))
      .finally(() => {
        this.#finding = null;
      });
  }

  /** This server leads no more. */
  rest(): void {
    this.#lead?.end.abort();
    this.#lead = null;
  }

  /** Resolves when nothing is being told any more; `tick` must not be called meanwhile. */
  async stop(): Promise<void> {
    const cancel = this.#options.clock.after(lastAnswerMs, () => this.rest());
    await this.#finding;
    await Promise.all(this.#telling.values());
    cancel();
    this.rest();
  }

  #failed(err: unknown): void {
    this.#options.log.error({ err }, 'alerts could not be told');
  }

  async #tellDue(lead: Lead): Promise<void> {
    for (const channelId of await store.dueChannels(this.#options.database, this.#due(lead))) {
      if (this.#telling.has(channelId)) continue;
      const telling = this.#tellAt(channelId, lead)
        .catch((err: unknown) => this.#failed(err))
        .finally(() => this.#telling.delete(channelId));
      this.#telling.set(channelId, telling);
    }
  }

  #due({ sinceMs }: Lead): store.Due {
    const { clock } = this.#options;
    return { nowMs: clock.nowMs(), onlyOpened: clock.monotonicMs() - sinceMs < formerLeaderMs };
  }

  async #tellAt(channelId: string, lead: Lead): Promise<void> {
    const { database, clock } = this.#options;
    const channel = await store.findChannel(database, channelId);
    if (channel === undefined) return;
    const told = recent(toldOf(channel), clock.nowMs());
    const plan = planTelling(told, clock.nowMs());
    if (plan.kind === 'singles') await this.#tellSingles(channel, told, Math.min(plan.most, noticesAtOnce), lead);
    else if (plan.kind === 'digest') await this.#tellDigest(channel, told, lead);
  }

  async #tellSingles(channel: AlertChannelsTable, told: Told, most: number, lead: Lead): Promise<void> {
    const { database, clock } = this.#options;
    const due = await this.#loud(await this.#untaken(await store.dueNotices(database, channel.id, this.#due(lead), most)));
    const noticeOf = await this.#noticesOf(due);
    const outcomes = await Promise.all(
      due.map(async (row) => {
        const outcome = await this.#tell(this.#targetOf(channel, [row]), noticeOf(row), lead);
        await this.#settle(channel, [row], outcome);
        return outcome;
      }),
    );
    const taken = outcomes.filter(({ kind }) => kind === 'taken').map(() => clock.nowMs());
    if (taken.length > 0) await this.#remember(channel, { ...told, singlesAtMs: [...told.singlesAtMs, ...taken] });
  }

  async #tellDigest(channel: AlertChannelsTable, told: Told, lead: Lead): Promise<void> {
    const { clock, publicUrl, log } = this.#options;
    const rows = await this.#loud(await this.#untaken(await this.#digestible(channel.id, lead)));
    if (rows.length === 0) return;
    const id = createHash('sha256')
      .update(rows.map((row) => row.id).join(' '))
      .digest('hex')
      .slice(0, 32);
    const digest = digestOf(id, rows.map(await this.#noticesOf(rows)), publicUrl === null ? null : `${publicUrl}/alerts`);
    const outcome = await this.#tell(this.#targetOf(channel, rows), digest, lead);
    await this.#settle(channel, rows, outcome);
    if (outcome.kind !== 'taken') return;
    log.info({ channel: channel.name, notices: rows.length }, 'a channel had many messages of late: these went as one');
    await this.#remember(channel, { ...told, digestAtMs: clock.nowMs() });
  }

  /** Of each alert all that is due, and not only what comes next: within one message it has its order. */
  async #digestible(channelId: string, lead: Lead): Promise<readonly AlertNoticesTable[]> {
    const { database } = this.#options;
    const due = this.#due(lead);
    const { mostInDigest } = digestPolicy;
    const next = await store.dueNotices(database, channelId, due, mostInDigest);
    const alertIds = next.map(({ alertId }) => alertId);
    const waiting = inOrder(await store.waitingNotices(database, channelId, alertIds, due.nowMs));
    return waiting.filter(({ event }) => !due.onlyOpened || event === 'opened').slice(0, mostInDigest);
  }

  async #noticesOf(rows: readonly AlertNoticesTable[]): Promise<(row: AlertNoticesTable) => AlertNotice> {
    const alerts = await store.alertsWithIds(this.#options.database, [...new Set(rows.map(({ alertId }) => alertId))]);
    const alertOf = new Map(alerts.map((alert) => [alert.id, alert]));
    return ({ alertId, event, document }) => {
      const notice = JSON.parse(document) as AlertNotice;
      const now = alertOf.get(alertId);
      if (now === undefined) return notice;
      return { ...notice, alert: toAlert(event === 'resolved' ? now : { ...now, resolvedAtMs: null }) };
    };
  }

  /** Without those who have taken all of it. */
  #targetOf(channel: AlertChannelsTable, rows: readonly AlertNoticesTable[]): AlertTarget {
    const target = JSON.parse(this.#options.secrets.open(channel.target)) as AlertTarget;
    if (target.kind !== 'email' || rows.some(({ id }) => !this.#left.has(id))) return target;
    const left = new Set(rows.flatMap(({ id }) => this.#left.get(id) ?? []));
    const to = target.to.filter((address) => left.has(address));
    // Somebody has changed the channel meanwhile.
    return to.length === 0 ? target : { ...target, to };
  }

  async #tell(target: AlertTarget, message: AlertNotice | AlertDigest, { end }: Lead): Promise<Outcome> {
    const { tell } = this.#options;
    const { signal } = end;
    if (signal.aborted) return { kind: 'broken-off' };
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        signal.removeEventListener('abort', breakOff);
        resolve(outcome);
      };
      const breakOff = (): void => settle({ kind: 'broken-off' });
      signal.addEventListener('abort', breakOff);
      tell(target, message, signal).then(
        () => settle({ kind: 'taken', problem: null }),
        (cause: unknown) => settle(refusal(cause)),
      );
    });
  }

  async #settle(channel: AlertChannelsTable, rows: readonly AlertNoticesTable[], outcome: Outcome): Promise<void> {
    if (outcome.kind === 'broken-off') return;
    const { database, clock, random, log } = this.#options;
    const nowMs = clock.nowMs();
    const { problem } = outcome;
    const later = outcome.kind === 'refused' ? outcome.later : null;
    for (const { id } of rows) {
      if (outcome.kind === 'taken') this.#taken.add(id);
      if (later !== null) this.#left.set(id, later);
    }
    await store.updateChannel(database, channel.id, { lastAttemptAtMs: nowMs, lastProblem: problem });
    const { firstMs, factor, capMs, attempts } = retryPolicy;
    const mostOf = ({ id }: AlertNoticesTable) => (this.#left.has(id) ? partlyAttempts : attempts);
    const gone = rows.filter((row) => outcome.kind === 'taken' || row.attempts + 1 >= mostOf(row));
    await this.#remove(gone);
    if (problem === null) return;
    log.warn(
      { channel: channel.name, attempt: Math.max(...rows.map(({ attempts }) => attempts)) + 1, problem },
      'an alert could not be told',
    );
    // Those that were told as one are tried as one again.
    const jitter = 1 - random() / 4;
    for (const row of rows.filter((row) => !gone.includes(row))) {
      const waitMs = Math.min(capMs, firstMs * factor ** Math.min(row.attempts, 16)) * jitter;
      await this.#postpone(row, { attempts: row.attempts + 1, nowMs, nextAttemptAtMs: nowMs + Math.round(waitMs) });
    }
  }

  /** Those that may be told now; where it is quiet, they are due at its end. */
  async #loud(rows: readonly AlertNoticesTable[]): Promise<readonly AlertNoticesTable[]> {
    const { database, clock } = this.#options;
    const nowMs = clock.nowMs();
    const rules = await store.rulesOfAlerts(database, [...new Set(rows.map(({ alertId }) => alertId))]);
    const ends = new Map([...rules.values()].map(({ id, quietHours }) => [id, quietUntilMs(quietHours, nowMs)]));
    const loud: AlertNoticesTable[] = [];
    for (const row of rows) {
      const endsMs = ends.get(rules.get(row.alertId)?.id ?? '') ?? null;
      if (endsMs === null) loud.push(row);
      // Counted as tried: a server that ended may have told it.
      else await this.#postpone(row, { attempts: Math.max(1, row.attempts), nowMs, nextAttemptAtMs: endsMs });
    }
    return loud;
  }

  async #postpone(
    { id, createdAtMs }: AlertNoticesTable,
    { nowMs, ...columns }: { readonly nowMs: number; readonly attempts: number; readonly nextAttemptAtMs: number },
  ): Promise<void> {
    // What was made in the future was made before the clock was set back.
    await store.postponeNotice(this.#options.database, id, { ...columns, createdAtMs: Math.min(createdAtMs, nowMs) });
  }

  async #untaken(rows: readonly AlertNoticesTable[]): Promise<readonly AlertNoticesTable[]> {
    const taken = rows.filter(({ id }) => this.#taken.has(id));
    if (taken.length > 0) await this.#remove(taken);
    return rows.filter((row) => !taken.includes(row));
  }

  async #remove(rows: readonly AlertNoticesTable[]): Promise<void> {
    const ids = rows.map(({ id }) => id);
    await store.deleteNotices(this.#options.database, ids);
    for (const id of ids) {
      this.#taken.delete(id);
      this.#left.delete(id);
    }
  }

  async #remember({ id }: AlertChannelsTable, told: Told): Promise<void> {
    await store.updateChannel(this.#options.database, id, { told: JSON.stringify(told) });
  }
}

function refusal(cause: unknown): Outcome {
  const problem = (cause instanceof Error ? cause.message : String(cause)).slice(0, 300);
  if (!(cause instanceof PartlyTold)) return { kind: 'refused', problem, later: null };
  return cause.later.length === 0 ? { kind: 'taken', problem } : { kind: 'refused', problem, later: cause.later };
}

function toldOf({ told }: AlertChannelsTable): Told {
  return told === '' ? nothingTold : (JSON.parse(told) as Told);
}
