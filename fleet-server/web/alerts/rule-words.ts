/** What a rule watches for and whom it tells, in words. Pure. */
import { conditionDefinitions, isConditionCode } from '#protocol/conditions.ts';
import type { AlertChannel, AlertRule, AlertSeverity, AlertTrigger } from '#protocol/model/alert.ts';
import { inWords } from '../status/conditions.ts';
import { durationWords } from '../time/words.ts';

export const severityWords: { readonly [S in AlertSeverity]: string } = { info: 'Info', warning: 'Warning', critical: 'Critical' };

/** "60 s", "5 min": a duration as a rule has it, to the second. */
export function secondsWords(seconds: number): string {
  return seconds >= 60 && seconds % 60 === 0 ? durationWords(seconds * 1000) : `${seconds} s`;
}

export function conditionTitle(code: string): string {
  return isConditionCode(code) ? conditionDefinitions[code].title : inWords(code);
}

function triggerWords(trigger: AlertTrigger, group: string | null): string {
  const where = group === null ? 'a device' : `a device of the group ${group}`;
  switch (trigger.kind) {
    case 'offline':
      return `When ${where} is offline`;
    case 'relay-down':
      return 'When the relay is down';
    case 'broker-down':
      return 'When the MQTT broker is down';
    case 'condition':
      if (trigger.conditions.length > 0) return `When ${where} reports ${anyOf(trigger.conditions.map(conditionTitle))}`;
      return trigger.severity === 'info'
        ? `When ${where} reports any condition`
        : `When ${where} reports something ${trigger.severity === 'critical' ? 'critical' : 'of warning or worse'}`;
    default:
      return trigger satisfies never;
  }
}

function anyOf(titles: readonly string[]): string {
  const quoted = titles.map((title) => `“${title}”`);
  return quoted.length === 1 ? (quoted[0] ?? '') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/** "When a device is offline for 60 s, Ops and Mail are told; nobody from 22:00 to 06:00 (Europe/Berlin)." */
export function ruleWords(rule: AlertRule, channels: readonly Pick<AlertChannel, 'id' | 'name'>[]): string {
  const { trigger, group, forS, quietHours, escalation } = rule;
  const lasting = forS === 0 ? '' : ` for ${secondsWords(forS)}`;
  const parts = [`${triggerWords(trigger, group)}${lasting}: ${toldWords(rule.channelIds, channels)}`];
  if (quietHours !== null) parts.push(`Nobody is told from ${quietHours.from} to ${quietHours.to} (${quietHours.timeZone})`);
  if (escalation !== null) {
    parts.push(`Not acknowledged after ${secondsWords(escalation.afterS)}: ${toldWords(escalation.channelIds, channels)}`);
  }
  return parts.map((part) => `${part}.`).join(' ');
}

/** A channel that was removed is told nothing, and not spoken of. */
function toldWords(ids: readonly string[], channels: readonly Pick<AlertChannel, 'id' | 'name'>[]): string {
  const names = channels.filter(({ id }) => ids.includes(id)).map(({ name }) => name);
  return names.length === 0 ? 'shown here, nobody is told' : `told to ${names.join(', ')}`;
}
