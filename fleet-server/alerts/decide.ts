/**
 * Which alerts there should be: pure, from what is known of the fleet at one moment and what was seen before.
 *
 * INVARIANTS
 * - One alert for one cause: a condition whose cause is present, or that comes of a relay which is down, or a device that is away with many
 *   others, has no alert of its own. While the broker is down every device is unknown: that is one alert as well.
 * - What is unknown opens nothing and resolves nothing: a server that has just started knows little. Nor does what is in a maintenance window.
 */
import { isRelayBad, type RelayHealth } from '#fleet-server/servers/relay-health.ts';
import { type ConditionCode, conditionDefinitions, isConditionCode, isServerCondition } from '#protocol/conditions.ts';
import type { AlertRule } from '#protocol/model/alert.ts';

export type DeviceFacts = {
  readonly id: string;
  readonly name: string;
  readonly group: string | null;
  readonly presence: { readonly state: 'online' | 'offline' | 'unknown'; readonly reason: string };
  /** It has been connected at least once. */
  readonly hasConnected: boolean;
  /** In a maintenance window. */
  readonly isSilenced: boolean;
  readonly conditions: readonly { readonly code: string; readonly detail?: string | undefined }[];
};

export type RelayFacts = Pick<RelayHealth, 'server' | 'kind' | 'detail'>;

export type FleetFacts = {
  readonly devices: readonly DeviceFacts[];
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
  readonly deviceId: string | null;
  readonly title: string;
  readonly detail: string;
};

export type Pending = { readonly sinceMs: number; readonly lastSeenMs: number };
export type AlertsMemory = ReadonlyMap<string, Pending>;
export const nothingSeen: AlertsMemory = new Map();

export type Decision = {
  readonly memory: AlertsMemory;
  readonly opened: readonly Finding[];
  /** Keys of open alerts that are over. */
  readonly resolved: readonly string[];
};

/** What comes and goes within this time is one alert. */
export const calmMs = 10_000;
/** This many devices and this share of those that a rule watches, away at once, are one thing: the network, the power, a venue. */
export const manyAway = { devices: 5, share: 0.5 } as const;
/** Told by the rule about relays, once for all of its devices. */
const toldOfRelay: ConditionCode = 'relay-down';
const severities = ['info', 'warning', 'critical'] as const;

export function decideAlerts(
  memory: AlertsMemory,
  facts: FleetFacts,
  rules: readonly AlertRule[],
  open: ReadonlySet<string>,
  nowMs: number,
): Decision {
  const next = new Map<string, Pending>();
  const opened: Finding[] = [];
  const unknown = new Set(
    facts.devices.filter(({ presence, isSilenced }) => isSilenced || presence.state === 'unknown').map(({ id }) => id),
  );
  for (const rule of rules.filter(({ enabled }) => enabled)) {
    for (const finding of findingsOf(rule, facts, { memory, open, nowMs })) {
      const before = memory.get(finding.key);
      const sinceMs = before?.sinceMs ?? nowMs;
      next.set(finding.key, { sinceMs, lastSeenMs: nowMs });
      if (!open.has(finding.key) && nowMs - sinceMs >= rule.forS * 1000) opened.push(finding);
    }
  }
  for (const [key, pending] of memory) {
    if (!next.has(key) && nowMs - pending.lastSeenMs < calmMs) next.set(key, pending);
  }
  const resolved = [...open].filter((key) => !next.has(key) && !isUnknown(key, unknown, facts));
  return { memory: next, opened, resolved };
}

function isUnknown(key: string, unknown: ReadonlySet<string>, { relays, brokerProblem }: FleetFacts): boolean {
  const [, subject = ''] = key.split('/');
  if (subject === 'broker') return brokerProblem === undefined;
  if (subject !== 'relay') return unknown.has(subject);
  return relays?.some(({ server, kind }) => kind === 'unknown' && key.endsWith(relayKey(server))) ?? true;
}

function relayKey(server: string | null): string {
  return server === null ? '/relay' : `/relay/${server}`;
}

type Past = { readonly memory: AlertsMemory; readonly open: ReadonlySet<string>; readonly nowMs: number };

function findingsOf(rule: AlertRule, facts: FleetFacts, past: Past): Finding[] {
  const { trigger } = rule;
  const devices = facts.devices.filter(({ group, isSilenced }) => !isSilenced && (rule.group === null || rule.group === group));
  switch (trigger.kind) {
    case 'relay-down':
      return relayFindings(rule, facts.relays ?? []);
    case 'broker-down': {
      const detail = facts.brokerProblem ?? null;
      if (detail === null) return [];
      return [{ key: `${rule.id}/broker`, ruleId: rule.id, deviceId: null, title: 'The MQTT broker is down', detail }];
    }
    case 'offline':
      return awayFindings(rule, devices, past);
    case 'condition':
      return devices.flatMap((device) => conditionFindings(rule, trigger, device));
    default:
      return trigger satisfies never;
  }
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

function awayFindings(rule: AlertRule, devices: readonly DeviceFacts[], { memory, open, nowMs }: Past): Finding[] {
  const away = devices.filter(({ presence, hasConnected }) => presence.state === 'offline' && hasConnected);
  const watched = devices.filter(({ hasConnected }) => hasConnected).length;
  const manyKey = `${rule.id}/many`;
  // Those that have been away for long do not make the next one a case of many.
  const fresh = away.filter(({ id }) => nowMs - (memory.get(awayKey(rule, id))?.sinceMs ?? nowMs) < rule.forS * 1000 + calmMs);
  const isMany = (count: number) => count >= manyAway.devices && count >= watched * manyAway.share;
  const isCaseOfMany = isMany(memory.has(manyKey) ? away.length : fresh.length);
  const each = away.map((device) => ({
    key: awayKey(rule, device.id),
    ruleId: rule.id,
    deviceId: device.id,
    title: `${device.name} is offline`,
    detail: device.presence.reason,
  }));
  if (!isCaseOfMany) return each;
  const names = away
    .slice(0, 5)
    .map(({ name }) => name)
    .join(', ');
  const detail = `${names}${away.length > 5 ? ` and ${away.length - 5} more` : ''}: look at the network and the power of the venue.`;
  const many = { key: manyKey, ruleId: rule.id, deviceId: null, title: `${away.length} of ${watched} devices are offline`, detail };
  // Those that were told of one by one before are not over because others joined them.
  return [many, ...each.filter(({ key }) => open.has(key))];
}

function awayKey(rule: AlertRule, deviceId: string): string {
  return `${rule.id}/${deviceId}/offline`;
}

function conditionFindings(rule: AlertRule, trigger: Extract<AlertRule['trigger'], { kind: 'condition' }>, device: DeviceFacts): Finding[] {
  // Of nearly every device of a large fleet, each second.
  if (device.conditions.length === 0) return [];
  const { state } = device.presence;
  // What an absent device last said of itself says nothing of now; what the server knows by itself holds.
  const conditions = device.conditions.filter(({ code }) => state === 'online' || (state === 'offline' && isServerCondition(code)));
  const present = new Set(conditions.map(({ code }) => code));
  return conditions.flatMap(({ code, detail = '' }) => {
    if (!isConditionCode(code)) return [];
    const { title, advice, severity, dependsOn } = conditionDefinitions[code];
    const isMeant =
      trigger.conditions.length === 0
        ? code !== toldOfRelay && severities.indexOf(severity) >= severities.indexOf(trigger.severity)
        : trigger.conditions.includes(code);
    const isExplained = dependsOn.some((cause) => present.has(cause));
    if (!isMeant || isExplained) return [];
    const text = [detail, advice].filter((part) => part !== '').join(' ');
    return [
      { key: `${rule.id}/${device.id}/${code}`, ruleId: rule.id, deviceId: device.id, title: `${device.name}: ${title}`, detail: text },
    ];
  });
}
