/**
 * Which alerts there should be: pure, from what is known of the fleet at one moment and what was seen before.
 *
 * INVARIANTS
 * - One alert for one cause: a condition whose cause is present, or that comes of a relay which is down, or what is wrong with many devices at
 *   once (gather.ts), has no alert of its own. While the broker is down every device is unknown: that is one alert as well.
 * - Of a device of which it is told that it is offline it is not told as well that it comes and goes.
 * - What is unknown opens nothing and resolves nothing: a server that has just started knows little. Nor does what is in a maintenance window.
 */
import {
  type DeviceFinding,
  eventKey,
  gather,
  gatheredDetail,
  gatheredTitle,
  isOf,
  readEventKey,
  type Since,
  togetherMs,
  type Watched,
} from '#fleet-server/alerts/gather.ts';
import { isRelayBad, type RelayHealth } from '#fleet-server/servers/relay-health.ts';
import { type ConditionCode, conditionDefinitions, isConditionCode, isExplained, isServerCondition } from '#protocol/conditions.ts';
import type { AlertRule } from '#protocol/model/alert.ts';

export type DeviceFacts = {
  readonly id: string;
  readonly name: string;
  readonly group: string | null;
  readonly presence: { readonly state: 'online' | 'offline' | 'unknown'; readonly reason: string };
  /** It has been connected at least once. */
  readonly hasConnected: boolean;
  /** How it is, since this server knows it: before that it has no conditions, and that says nothing. */
  readonly hasSaid: boolean;
  /** In a maintenance window. */
  readonly isSilenced: boolean;
  readonly conditions: readonly { readonly code: string; readonly detail?: string | undefined }[];
};

export type RelayFacts = Pick<RelayHealth, 'server' | 'kind' | 'detail'>;

export type FleetFacts = {
  /** All of which there may be something to say: each that is not there, in a maintenance window, or has a condition. */
  readonly devices: readonly DeviceFacts[];
  /** How many devices of each group, or of none, are there besides those, and well. */
  readonly well: ReadonlyMap<string | null, number>;
  /** Of each fleet server. Undefined while nobody is to be told of any. */
  readonly relays: readonly RelayFacts[] | undefined;
  /** Why no device can be heard, in words; null: they can. Undefined while nobody knows. */
  readonly brokerProblem: string | null | undefined;
};

/** Something that is wrong at this moment by one rule. */
export type Finding = {
  /** The same as long as it is the same thing. */
  readonly key: string;
  readonly ruleId: string;
  /** Null: it is not about one device. */
  readonly deviceId: string | null;
  readonly title: string;
  readonly detail: string;
};

/** `gatheredAs`: the key of the alert that tells of it among others. */
export type Pending = { readonly sinceMs: number; readonly lastSeenMs: number; readonly gatheredAs: string | null };
export type AlertsMemory = ReadonlyMap<string, Pending>;
export const nothingSeen: AlertsMemory = new Map();

export type Decision = {
  readonly memory: AlertsMemory;
  readonly opened: readonly Finding[];
  /** What open alerts about many devices say of those that are left. */
  readonly details: ReadonlyMap<string, string>;
  /** Keys of open alerts that are over. */
  readonly resolved: readonly string[];
};

/** What comes and goes within this time is one alert. */
export const calmMs = 10_000;
/** Told by the rule about relays, once for all of its devices. */
const toldOfRelay: ConditionCode = 'relay-down';
const explainedByAbsence: ConditionCode = 'connection-unstable';
const severities = ['info', 'warning', 'critical'] as const;

export function decideAlerts(
  memory: AlertsMemory,
  facts: FleetFacts,
  rules: readonly AlertRule[],
  open: ReadonlySet<string>,
  nowMs: number,
): Decision {
  const draft: Draft = { memory, open, nowMs, next: new Map(), opened: [] };
  const left = new Map<string, DeviceFinding[]>();
  const enabled = rules.filter((rule) => rule.enabled);
  for (const rule of enabled) {
    const { trigger } = rule;
    if (trigger.kind === 'relay-down') decideEach(draft, rule, relayFindings(rule, facts.relays ?? []));
    else if (trigger.kind === 'broker-down') decideEach(draft, rule, brokerFindings(rule, facts.brokerProblem ?? null));
    else decideOfDevices(draft, rule, trigger, facts, left);
  }
  const { next, opened } = draft;
  const knowledge = knowledgeOf(facts);
  const ruleIds = new Set(enabled.map(({ id }) => id));
  for (const [key, pending] of memory) {
    if (next.has(key)) continue;
    const isHidden = ruleIds.has(ruleOf(key)) && isUnknown(key, knowledge, pending.gatheredAs !== null);
    if (isHidden || nowMs - pending.lastSeenMs < calmMs) next.set(key, pending);
  }
  const resolved = new Set(lastOnes(draft, left));
  const gathered = new Set([...next.values()].map(({ gatheredAs }) => gatheredAs));
  for (const key of open) {
    const isOver = readEventKey(key) === null ? !next.has(key) && !isUnknown(key, knowledge, true) : !gathered.has(key);
    if (isOver) resolved.add(key);
  }
  const details = new Map([...left].filter(([key]) => !resolved.has(key)).map(([key, findings]) => [key, gatheredDetail(findings)]));
  return { memory: next, opened, details, resolved: [...resolved] };
}

/** The one that is left of many has an alert of its own from now on; what told of the many is over. */
function lastOnes({ next }: Draft, left: ReadonlyMap<string, readonly DeviceFinding[]>): string[] {
  const counts = new Map<string, number>();
  for (const { gatheredAs } of next.values()) if (gatheredAs !== null) counts.set(gatheredAs, (counts.get(gatheredAs) ?? 0) + 1);
  const over: string[] = [];
  for (const [key, [last]] of left) {
    const pending = last === undefined ? undefined : next.get(last.key);
    if (last === undefined || pending === undefined || counts.get(key) !== 1) continue;
    next.set(last.key, { ...pending, gatheredAs: null });
    over.push(key);
  }
  return over;
}

type Draft = {
  readonly memory: AlertsMemory;
  readonly open: ReadonlySet<string>;
  readonly nowMs: number;
  readonly next: Map<string, Pending>;
  readonly opened: Finding[];
};

function decideEach({ memory, open, nowMs, next, opened }: Draft, rule: AlertRule, findings: readonly Finding[]): void {
  for (const finding of findings) {
    const sinceMs = memory.get(finding.key)?.sinceMs ?? nowMs;
    next.set(finding.key, { sinceMs, lastSeenMs: nowMs, gatheredAs: null });
    if (!open.has(finding.key) && nowMs - sinceMs >= rule.forS * 1000) opened.push(finding);
  }
}
/** By a rule about devices. `left`: by the key of an open alert about many, those that it is still true of. */
function decideOfDevices(
  draft: Draft,
  rule: AlertRule,
  trigger: DeviceTrigger,
  facts: FleetFacts,
  left: Map<string, DeviceFinding[]>,
): void {
  const { memory, open, nowMs, next } = draft;
  const away = awayTold(draft);
  const devices = facts.devices.filter(({ group, isSilenced }) => !isSilenced && (rule.group === null || rule.group === group));
  const findings = devices.flatMap((device) =>
    trigger.kind === 'offline' ? awayFindings(rule, device) : conditionFindings(rule, trigger, device),
  );
  if (findings.length === 0) return;
  const events = [...open].flatMap((key) => readEventKey(key) ?? []).filter(({ ruleId }) => ruleId === rule.id);
  const free = new Map<string, Since<DeviceFinding>[]>();
  for (const finding of findings) {
    const before = memory.get(finding.key);
    if (finding.cause === explainedByAbsence && before === undefined && away.has(finding.deviceId)) continue;
    const since = { finding, sinceMs: before?.sinceMs ?? nowMs };
    const isTold = open.has(finding.key);
    const former = before?.gatheredAs ?? null;
    const event = events.find((one) => isOf(one, since));
    const joined = former !== null && open.has(former) ? former : event === undefined ? null : eventKey(event);
    const gatheredAs = isTold ? null : joined;
    next.set(finding.key, { sinceMs: since.sinceMs, lastSeenMs: nowMs, gatheredAs });
    if (gatheredAs !== null) addTo(left, gatheredAs, finding);
    else if (!isTold) addTo(free, finding.cause, since);
  }
  if (free.size === 0) return;
  const counted = trigger.kind === 'offline' ? devices.filter(({ hasConnected }) => hasConnected) : devices;
  const watched = watchedOf(counted, facts.well, rule.group);
  for (const ofCause of free.values()) openFree(draft, rule, ofCause, watched);
}

/** Of which somebody was told that they are offline, each by itself or among others. */
function awayTold({ memory, open }: Draft): ReadonlySet<string> {
  const told = [...memory].filter(([key, { gatheredAs }]) => key.endsWith('/offline') && (open.has(key) || gatheredAs !== null));
  return new Set(told.map(([key]) => key.split('/')[1] ?? ''));
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

function watchedOf(devices: readonly DeviceFacts[], well: FleetFacts['well'], only: string | null): Watched {
  const counts = new Map([...well].filter(([group]) => only === null || group === only));
  for (const { group } of devices) counts.set(group, (counts.get(group) ?? 0) + 1);
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { all, ofGroup: counts };
}

/** Of those that nobody was told of: once one has lasted, with all that began soon after it. */
function openFree({ next, opened, nowMs }: Draft, rule: AlertRule, free: readonly Since<DeviceFinding>[], watched: Watched): void {
  const ordered = free.toSorted((a, b) => a.sinceMs - b.sinceMs);
  const hasLasted = ({ sinceMs }: Since<DeviceFinding>) => nowMs - sinceMs >= rule.forS * 1000;
  for (let first = ordered[0]; first !== undefined && hasLasted(first); ) {
    const { sinceMs } = first;
    const start = ordered.indexOf(first);
    const after = ordered.findIndex((one) => one.sinceMs > sinceMs + togetherMs);
    const { gatherings, alone } = gather(ordered.slice(start, after === -1 ? undefined : after), watched);
    for (const [number, { group, members }] of gatherings.entries()) {
      const findings = members.map(({ finding }) => finding);
      const key = eventKey({ ruleId: rule.id, group, cause: first.finding.cause, sinceMs, number });
      const title = gatheredTitle(rule, group, findings, watched);
      opened.push({ key, ruleId: rule.id, deviceId: null, title, detail: gatheredDetail(findings) });
      for (const member of members) next.set(member.finding.key, { sinceMs: member.sinceMs, lastSeenMs: nowMs, gatheredAs: key });
    }
    for (const { finding } of alone.filter(hasLasted)) {
      const { key, deviceId, title, detail } = finding;
      opened.push({ key, ruleId: rule.id, deviceId, title, detail });
    }
    first = after === -1 ? undefined : ordered[after];
  }
}

/** Of the keys of open alerts: whether all that they are about is in a maintenance window. */
export function silencedBy({ devices, relays }: FleetFacts, memory: AlertsMemory): (key: string) => boolean {
  const silenced = new Set(devices.filter(({ isSilenced }) => isSilenced).map(({ id }) => id));
  const members = membersOf(memory);
  return (key) => {
    const subject = subjectOf(key);
    // Theirs is the window of the whole fleet.
    if (subject === 'relay' || subject === 'broker') return relays === undefined;
    const subjects = readEventKey(key) === null ? [subject] : (members.get(key) ?? []).map(subjectOf);
    return subjects.length > 0 && subjects.every((id) => silenced.has(id));
  };
}

/** By the key of what they are gathered as. */
export function membersOf(memory: AlertsMemory): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, string[]>();
  for (const [key, { gatheredAs }] of memory) if (gatheredAs !== null) addTo(members, gatheredAs, key);
  return members;
}

export function subjectOf(key: string): string {
  return key.split('/')[1] ?? '';
}

type Knowledge = {
  readonly facts: FleetFacts;
  readonly unknown: ReadonlySet<string>;
  readonly silenced: ReadonlySet<string>;
  /** There, and they have not said yet how they are. */
  readonly silent: ReadonlySet<string>;
};

function knowledgeOf(facts: FleetFacts): Knowledge {
  const idsOf = (matches: (device: DeviceFacts) => boolean) => new Set(facts.devices.filter(matches).map(({ id }) => id));
  return {
    facts,
    unknown: idsOf(({ presence }) => presence.state === 'unknown'),
    silenced: idsOf(({ isSilenced }) => isSilenced),
    silent: idsOf(({ presence, hasSaid }) => presence.state === 'online' && !hasSaid),
  };
}

/** `isTold`: somebody was told of it. What nobody was told of begins anew after a maintenance window. */
function isUnknown(key: string, { facts, unknown, silenced, silent }: Knowledge, isTold: boolean): boolean {
  const [, subject = '', cause = ''] = key.split('/');
  if (subject === 'broker') return facts.brokerProblem === undefined;
  if (subject === 'relay') return facts.relays?.some(({ server, kind }) => kind === 'unknown' && key.endsWith(relayKey(server))) ?? true;
  if (unknown.has(subject) || (isTold && silenced.has(subject))) return true;
  return silent.has(subject) && isConditionCode(cause) && !isServerCondition(cause);
}

function ruleOf(key: string): string {
  return key.split('/', 1)[0] ?? '';
}

function relayKey(server: string | null): string {
  return server === null ? '/relay' : `/relay/${server}`;
}

function brokerFindings(rule: AlertRule, detail: string | null): Finding[] {
  if (detail === null) return [];
  return [{ key: `${rule.id}/broker`, ruleId: rule.id, deviceId: null, title: 'The MQTT broker is down', detail }];
}

/** A server that dies after its relay is the same thing going on. */
function relayFindings(rule: AlertRule, relays: readonly RelayFacts[]): Finding[] {
  const bad = new Map(relays.filter(isRelayBad).map((relay) => [rule.id + relayKey(relay.server), relay]));
  return [...bad].map(([key, { server, kind, detail }]) => {
    const whose = server === null ? 'The relay' : `The relay of ${server}`;
    return {
      key,
      ruleId: rule.id,
      deviceId: null,
      title: kind === 'gone' ? `The fleet server ${server} is gone` : `${whose} is down`,
      detail,
    };
  });
}

type DeviceTrigger = Extract<AlertRule['trigger'], { kind: 'offline' | 'condition' }>;

function awayFindings(rule: AlertRule, { id, name, group, presence, hasConnected }: DeviceFacts): DeviceFinding[] {
  if (presence.state !== 'offline' || !hasConnected) return [];
  const title = `${name} is offline`;
  return [{ key: `${rule.id}/${id}/offline`, deviceId: id, deviceName: name, group, cause: 'offline', title, detail: presence.reason }];
}

function conditionFindings(rule: AlertRule, trigger: Extract<DeviceTrigger, { kind: 'condition' }>, device: DeviceFacts): DeviceFinding[] {
  // Of nearly every device of a large fleet, each second.
  if (device.conditions.length === 0) return [];
  const { state } = device.presence;
  // What an absent device last said of itself says nothing of now; what the server knows by itself holds.
  const conditions = device.conditions.filter(({ code }) => state === 'online' || (state === 'offline' && isServerCondition(code)));
  return conditions.flatMap(({ code, detail = '' }) => {
    if (!isConditionCode(code)) return [];
    const { title, advice } = conditionDefinitions[code];
    if (!isTriggeredBy(trigger, code) || isExplained(code, conditions)) return [];
    const text = [detail, advice].filter((part) => part !== '').join(' ');
    const { id: deviceId, name: deviceName, group } = device;
    const key = `${rule.id}/${deviceId}/${code}`;
    return [{ key, deviceId, deviceName, group, cause: code, title: `${deviceName}: ${title}`, detail: text }];
  });
}

/** `cause`: 'offline', or the code of a condition. */
export function isTriggeredBy(trigger: AlertRule['trigger'], cause: string): boolean {
  if (trigger.kind !== 'condition' || !isConditionCode(cause)) return trigger.kind === cause;
  if (trigger.conditions.length > 0) return trigger.conditions.includes(cause);
  const { severity } = conditionDefinitions[cause];
  return cause !== toldOfRelay && severities.indexOf(severity) >= severities.indexOf(trigger.severity);
}
