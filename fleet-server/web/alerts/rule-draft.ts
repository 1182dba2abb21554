/** A rule as it stands in its form, and what is wrong with it. Pure. */
import type { AlertRule, AlertRuleRequest, AlertSeverity, AlertTrigger } from '#protocol/model/alert.ts';

export type RuleDraft = {
  readonly name: string;
  readonly kind: AlertTrigger['kind'];
  readonly conditions: readonly string[];
  readonly atLeast: AlertSeverity;
  /** Seconds, as typed; so are the minutes below. */
  readonly forS: string;
  readonly severity: AlertSeverity;
  readonly group: string;
  readonly enabled: boolean;
  readonly channelIds: readonly string[];
  readonly isQuiet: boolean;
  readonly quietFrom: string;
  readonly quietTo: string;
  readonly timeZone: string;
  readonly isEscalated: boolean;
  readonly escalateAfterMin: string;
  readonly escalateTo: readonly string[];
};

export type RuleField = 'name' | 'conditions' | 'forS' | 'group' | 'channelIds' | 'quiet' | 'timeZone' | 'escalateAfterMin' | 'escalateTo';
export type CheckedRule =
  | { readonly kind: 'rule'; readonly rule: AlertRuleRequest }
  | { readonly kind: 'problems'; readonly problems: { readonly [F in RuleField]?: string } };

export function newDraft(timeZone: string): RuleDraft {
  return {
    name: '',
    kind: 'offline',
    conditions: [],
    atLeast: 'critical',
    forS: '60',
    severity: 'warning',
    group: '',
    enabled: true,
    channelIds: [],
    isQuiet: false,
    quietFrom: '22:00',
    quietTo: '07:00',
    timeZone,
    isEscalated: false,
    escalateAfterMin: '15',
    escalateTo: [],
  };
}

/** Channels that are gone are left out: a rule that names one would be refused. */
export function draftOf(rule: AlertRule, timeZone: string, channelIds: readonly string[]): RuleDraft {
  const { trigger, quietHours, escalation } = rule;
  const known = (ids: readonly string[]): string[] => ids.filter((id) => channelIds.includes(id));
  return {
    ...newDraft(timeZone),
    name: rule.name,
    kind: trigger.kind,
    ...(trigger.kind === 'condition' ? { conditions: trigger.conditions, atLeast: trigger.severity } : {}),
    forS: String(rule.forS),
    severity: rule.severity,
    group: rule.group ?? '',
    enabled: rule.enabled,
    channelIds: known(rule.channelIds),
    isQuiet: quietHours !== null,
    ...(quietHours === null ? {} : { quietFrom: quietHours.from, quietTo: quietHours.to, timeZone: quietHours.timeZone }),
    isEscalated: escalation !== null,
    ...(escalation === null ? {} : { escalateAfterMin: String(escalation.afterS / 60), escalateTo: known(escalation.channelIds) }),
  };
}

/** The same rule, switched on or off, without channels that are gone. */
export function switched({ id: _id, ...rule }: AlertRule, enabled: boolean, channelIds: readonly string[]): AlertRuleRequest {
  const known = (ids: readonly string[]): string[] => ids.filter((id) => channelIds.includes(id));
  const later = rule.escalation === null ? [] : known(rule.escalation.channelIds);
  const escalation = rule.escalation === null || later.length === 0 ? null : { ...rule.escalation, channelIds: later };
  return { ...rule, enabled, channelIds: known(rule.channelIds), escalation };
}

/** What is about the fleet as a whole belongs to no group. */
export function isAboutFleet(kind: RuleDraft['kind']): boolean {
  return kind === 'relay-down' || kind === 'broker-down';
}

const longestS = 86_400;
const clock = /^([01]\d|2[0-3]):[0-5]\d$/;
const groupName = /^[a-z0-9][a-z0-9-]{0,39}$/;

export function checkRule(draft: RuleDraft): CheckedRule {
  const problems: { [F in RuleField]?: string } = {};
  const forS = Number(draft.forS);
  const afterS = Math.round(Number(draft.escalateAfterMin) * 60);
  const hasGroup = !isAboutFleet(draft.kind) && draft.group !== '';
  if (draft.name.trim() === '') problems.name = 'Give it a name.';
  if (draft.forS.trim() === '' || !Number.isInteger(forS) || forS < 0 || forS > longestS) {
    problems.forS = 'A whole number of seconds from 0 to 86400 (a day).';
  }
  if (draft.conditions.length > 32) problems.conditions = '32 at most.';
  if (hasGroup && !groupName.test(draft.group)) problems.group = 'Small letters, digits and - only.';
  if (draft.channelIds.length > 16) problems.channelIds = '16 at most.';
  if (draft.isQuiet && !(clock.test(draft.quietFrom) && clock.test(draft.quietTo)))
    problems.quiet = 'Two times of day, such as 22:00 and 07:00.';
  if (draft.isQuiet && !isTimeZone(draft.timeZone)) problems.timeZone = 'A time zone such as Europe/Berlin.';
  if (draft.isEscalated && !(afterS >= 60 && afterS <= longestS)) problems.escalateAfterMin = 'From 1 to 1440 minutes.';
  if (draft.isEscalated && draft.escalateTo.length === 0) problems.escalateTo = 'Choose who is told then.';
  if (Object.keys(problems).length > 0) return { kind: 'problems', problems };
  return {
    kind: 'rule',
    rule: {
      name: draft.name.trim(),
      trigger: triggerOf(draft),
      forS,
      severity: draft.severity,
      group: hasGroup ? draft.group : null,
      enabled: draft.enabled,
      channelIds: [...draft.channelIds],
      quietHours: draft.isQuiet ? { from: draft.quietFrom, to: draft.quietTo, timeZone: draft.timeZone } : null,
      escalation: draft.isEscalated ? { afterS, channelIds: [...draft.escalateTo] } : null,
    },
  };
}

function triggerOf({ kind, conditions, atLeast }: RuleDraft): AlertTrigger {
  return kind === 'condition' ? { kind, conditions: [...conditions], severity: atLeast } : { kind };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name !== '';
  } catch {
    return false;
  }
}
