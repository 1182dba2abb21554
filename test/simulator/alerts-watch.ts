/**
 * What must hold of alerts: raised once for one cause (a relay that is down, with all that its devices lack, is one), in time and never falsely; over when the cause is; told at least once to a channel that takes
 * it, over kills of the server, and not again by a server that was told that it was taken; and never told of after it was told to be over.
 */
import { readEventKey } from '#fleet-server/alerts/gather.ts';
import { conditionDefinitions } from '#protocol/conditions.ts';
import type { AlertRuleRequest } from '#protocol/model/alert.ts';
import type { Beliefs } from './beliefs.ts';
import { unstable, unstableRule } from './connections-watch.ts';
import { windowLookMs } from './maintenance-watch.ts';
import type { SimulatedChannel } from './simulated-channel.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import type { SimulatedServer } from './simulated-server.ts';
import { escalateAfterS, TellingWatch } from './telling-watch.ts';
import type { Member } from './world.ts';

const basic = { severity: 'critical', group: null, enabled: true, quietHours: null, escalation: null } as const;
const rules = {
  offline: { ...basic, name: 'away', trigger: { kind: 'offline' }, forS: 5 },
  'pipeline-failed': {
    ...basic,
    name: 'failed',
    trigger: { kind: 'condition', conditions: [], severity: 'critical' },
    forS: 3,
  },
} as const;
const relayRule = { ...basic, name: 'relay', trigger: { kind: 'relay-down' }, forS: 2 } as const;
type Cause = keyof typeof rules;
const causes = ['offline', 'pipeline-failed'] as const satisfies readonly Cause[];
const relayTitle = 'The relay is down';
/** Two looks of the server, of a second each, and this run's own; there is none for one look when the last of many gets an alert of its own. */
const lookMs = 2500;
const betweenAlertsMs = 1500;
const calmMs = 10_000;
const channels = ['http://team.local/hook', 'http://chief.local/hook'] as const;
const channelAt = (url: string) => ({ name: url, target: { kind: 'webhook', url, secret: 'secret-of-the-webhook' } }) as const;

export class AlertsWatch {
  readonly #channel: SimulatedChannel;
  readonly #known = new Set<string>();
  readonly #withoutSinceMs = new Map<string, number>();

  readonly telling: TellingWatch;

  constructor(channel: SimulatedChannel) {
    this.#channel = channel;
    this.telling = new TellingWatch(channel);
  }

  /** Only the rules that are looked at. */
  async writeRules({ app }: SimulatedServer): Promise<void> {
    for (const { id } of await app.alertBook.rules()) await app.alertBook.removeRule(id, 'admin');
    const [team, chief] = channels;
    const channelIds = [(await app.alertBook.addChannel(channelAt(team), 'admin')).id];
    const escalation = { afterS: escalateAfterS, channelIds: [(await app.alertBook.addChannel(channelAt(chief), 'admin')).id] };
    await app.alertBook.addRule({ ...relayRule, channelIds }, 'admin');
    await app.alertBook.addRule({ ...unstableRule, channelIds }, 'admin');
    for (const cause of causes) {
      const rule = rules[cause] as Omit<AlertRuleRequest, 'channelIds'>;
      await app.alertBook.addRule({ ...rule, channelIds, escalation }, 'admin');
    }
    for (const { name } of await app.alertBook.rules()) this.telling.quietHours.set(name, null);
  }

  look(server: SimulatedServer | null, database: SimulatedDatabase, members: readonly Member[], beliefs: Beliefs): void {
    if (this.#channel.problem !== null) throw new Error(this.#channel.problem);
    this.telling.look(server, database, beliefs);
    const open = database
      .rows(`select "id", "key", "title" from "alerts" where "resolvedAtMs" is null`)
      .map(({ id, key, title }) => ({ id: String(id), key: String(key), title: String(title) }));
    const keys = new Set(open.map(({ key }) => key));
    const gathered = new Map<string, string>();
    for (const { key, gatheredAs } of database.rows(`select "key", "gatheredAs" from "alertPendings" where "gatheredAs" is not null`)) {
      if (!keys.has(String(gatheredAs))) continue;
      gathered.set(String(key), String(gatheredAs));
      if (keys.has(String(key))) throw new Error(`expected one alert for one cause, there are two of ${key}: also ${gatheredAs}`);
    }
    for (const { id, key, title } of open) {
      if (this.#known.has(id)) continue;
      this.#known.add(id);
      const ofWhom = title === relayTitle ? ['fleet'] : membersOf(key, gathered).map((one) => one.split('/')[1] ?? '');
      const silenced = ofWhom.find((one) => (beliefs.lastsMs(one, 'silenced') ?? 0) > lookMs);
      if (silenced !== undefined) throw new Error(`expected nothing to be told of ${silenced} in its maintenance window, got "${title}"`);
      if (title === relayTitle) {
        if ((beliefs.troubleMs('relay', 'down') ?? 0) < relayRule.forS * 1000 - 200)
          throw new Error(`expected no false alarm, got "${title}"`);
        continue;
      }
      if (server !== null) checkIsTrue(server, membersOf(key, gathered), title, beliefs);
    }
    const untold = new Set(database.rows(`select "alertId" from "alertNotices" where "event" = 'opened'`).map(({ alertId }) => alertId));
    const unheard = open.find(({ id }) => !untold.has(id) && !this.#channel.hasTaken(id, 'opened'));
    if (unheard !== undefined) throw new Error(`expected the channel to be told of it: ${unheard.title}`);
    if (server !== null) checkRelay(open, beliefs);
    if (server !== null)
      for (const { id } of members) for (const cause of causes) this.#checkIsThere(id, cause, [...keys, ...gathered.keys()], beliefs);
  }

  #checkIsThere(id: string, cause: Cause, keys: readonly string[], beliefs: Beliefs): void {
    const has = keys.some((key) => key.endsWith(`/${id}/${cause}`));
    const name = `${id} ${cause}`;
    if (has || !this.#withoutSinceMs.has(name)) this.#withoutSinceMs.set(name, beliefs.nowMs);
    const withoutMs = beliefs.nowMs - (this.#withoutSinceMs.get(name) ?? beliefs.nowMs);
    const badMs = beliefs.lastsMs(id, cause === 'offline' ? 'offline' : 'failed');
    const goodMs = beliefs.lastsMs(id, cause === 'offline' ? 'online' : 'well');
    // In a maintenance window nothing comes and nothing goes.
    const freeMs = beliefs.lastsMs(id, 'free') ?? 0;
    const dueMs = rules[cause].forS * 1000 + lookMs;
    const isLate = badMs !== null && badMs > dueMs && freeMs > dueMs + windowLookMs && beliefs.isDiskGoodFor(badMs);
    if (isLate && withoutMs > betweenAlertsMs) throw new Error(`expected an alert of ${id}, ${cause} for ${badMs} ms, there is none`);
    const isOver = goodMs !== null && Math.min(goodMs, freeMs - windowLookMs) > calmMs + lookMs;
    if (isOver && beliefs.isDiskGoodFor(calmMs) && has)
      throw new Error(`expected no alert of ${id}, free of ${cause} for ${goodMs} ms, there is one`);
  }

  /** What is not yet as it must become. That a connection came and went is told for longer. */
  unsettled(database: SimulatedDatabase): string[] {
    const open = database
      .rows(`select "title" from "alerts" where "resolvedAtMs" is null and "key" not like '%${unstable}%'`)
      .map(({ title }) => `expected the alert to be over: ${title}`);
    const untold = database
      .rows(`select "event", "attempts" from "alertNotices"`)
      .map(({ event, attempts }) => `expected to be told after ${attempts} attempts: ${event}`);
    return [...open, ...untold];
  }

  checkTheEnd(database: SimulatedDatabase): void {
    this.telling.checkTheEnd(database);
    for (const row of database.rows(`select "id", "title", "resolvedAtMs" from "alerts"`)) {
      const id = String(row['id']);
      if (row['resolvedAtMs'] === null) continue;
      for (const at of channels) {
        const isToldOf = this.#channel.hasTaken(id, 'opened', at) || this.#channel.hasTaken(id, 'escalated', at);
        if (isToldOf === this.#channel.hasTaken(id, 'resolved', at)) continue;
        const words = isToldOf
          ? 'its end to be told to those who were told of it'
          : 'its end not to be told to those who knew nothing of it';
        throw new Error(`expected ${words}: ${row['title']}`);
      }
    }
  }
}

/** Of an alert of one device, or of many: the keys of what is wrong with each. */
function membersOf(key: string, gathered: ReadonlyMap<string, string>): readonly string[] {
  return readEventKey(key) === null ? [key] : [...gathered].flatMap(([member, as]) => (as === key ? [member] : []));
}

/** Its devices are told of by it. */
function checkRelay(open: readonly { readonly key: string; readonly title: string }[], beliefs: Beliefs): void {
  const relays = open.filter(({ title }) => title === relayTitle).length;
  const downMs = beliefs.lastsMs('relay', 'down') ?? 0;
  const runningMs = beliefs.lastsMs('relay', 'running') ?? 0;
  const freeMs = beliefs.lastsMs('fleet', 'free') ?? 0;
  const dueMs = relayRule.forS * 1000 + lookMs;
  const isDue = downMs > dueMs && freeMs > dueMs + windowLookMs && beliefs.isDiskGoodFor(downMs);
  const isOver = Math.min(runningMs, freeMs - windowLookMs) > calmMs + lookMs && beliefs.isDiskGoodFor(calmMs);
  if (isDue && relays === 0) throw new Error(`expected an alert of the relay, down for ${downMs} ms, there is none`);
  if (isOver && relays > 0) throw new Error(`expected no alert of the relay, running for ${runningMs} ms, there is one`);
  const ofDevice = open.find(({ key, title }) => key.includes('relay-down') || title.includes(conditionDefinitions['relay-down'].title));
  if (ofDevice !== undefined) throw new Error(`expected one alert of the relay, devices have theirs: ${ofDevice.title}`);
}

/** Of one device or of several: no device is there for all to see, and for the first of them it has lasted as its rule says. */
function checkIsTrue(server: SimulatedServer, keys: readonly string[], title: string, beliefs: Beliefs): void {
  let longestMs: number | null = null;
  let forS = 0;
  for (const key of keys) {
    const [, id = '', cause = ''] = key.split('/');
    if (!(causes as readonly string[]).includes(cause)) continue;
    forS = rules[cause as Cause].forS;
    const guest = server.guestOf(id);
    // Nobody knows yet where it is.
    if (cause === 'offline' && server.app.devices.get(id)?.presence.state === 'unknown')
      throw new Error(`expected no false alarm, got "${title}" ${beliefs.nowMs - server.startedAtMs} ms after the server's start`);
    const isThere = guest !== null && beliefs.nowMs - guest.acceptedAtMs > 1500 && beliefs.nowMs - guest.heardAtMs < 1000;
    if (cause === 'offline' && isThere && (beliefs.lastsMs(id, 'online') ?? 0) > 1500)
      throw new Error(`expected no false alarm, got "${title}" while ${id} is there`);
    const troubleMs = beliefs.troubleMs(id, cause);
    if (troubleMs === null) throw new Error(`expected no false alarm, got "${title}" while ${id} is free of ${cause}`);
    longestMs = Math.max(longestMs ?? 0, troubleMs);
  }
  // It may have begun between two looks here.
  if (longestMs !== null && longestMs < forS * 1000 - 200)
    throw new Error(`expected no false alarm, got "${title}" after ${longestMs} ms of ${forS} s`);
}
