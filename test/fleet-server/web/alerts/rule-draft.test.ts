import { Check } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { checkRule, draftOf, newDraft, type RuleDraft, switched } from '#fleet-server/web/alerts/rule-draft.ts';
import { type AlertRule, AlertRuleRequest } from '#protocol/model/alert.ts';

const rule: AlertRule = {
  id: 'r-1',
  name: 'Dark hall',
  trigger: { kind: 'condition', conditions: ['picture-black'], severity: 'warning' },
  forS: 90,
  severity: 'critical',
  group: 'halls',
  enabled: true,
  channelIds: ['c-1'],
  quietHours: { from: '22:00', to: '06:30', timeZone: 'Europe/Berlin' },
  escalation: { afterS: 900, channelIds: ['c-2'] },
};
const channels = ['c-1', 'c-2'];

test('a rule comes back from its form as it went in', () => {
  const { id: _id, ...request } = rule;
  expect(checkRule(draftOf(rule, 'UTC', channels))).toEqual({ kind: 'rule', rule: request });
  for (const kind of ['offline', 'relay-down', 'broker-down'] as const) {
    const plain = { ...request, trigger: { kind }, group: null, quietHours: null, escalation: null };
    expect(checkRule(draftOf({ id: 'r-2', ...plain }, 'UTC', channels))).toEqual({ kind: 'rule', rule: plain });
  }
});

test('what is filled in for a new rule is good but for its name', () => {
  expect(checkRule(newDraft('UTC'))).toEqual({ kind: 'problems', problems: { name: 'Give it a name.' } });
  const checked = checkRule({ ...newDraft('UTC'), name: 'Away', isQuiet: true, isEscalated: true, escalateTo: ['c-1'] });
  expect(checked.kind === 'rule' && Check(AlertRuleRequest, checked.rule)).toBe(true);
});

test('the relay belongs to no group, and the broker neither', () => {
  for (const kind of ['relay-down', 'broker-down'] as const) {
    expect(checkRule({ ...newDraft('UTC'), name: 'Relay', kind, group: 'halls' })).toMatchObject({ rule: { group: null } });
  }
});

describe('channels that are gone', () => {
  test('are not asked for again', () => {
    expect(draftOf(rule, 'UTC', ['c-2'])).toMatchObject({ channelIds: [], escalateTo: ['c-2'] });
    expect(switched(rule, false, ['c-1'])).toMatchObject({ enabled: false, channelIds: ['c-1'], escalation: null });
    expect(switched(rule, false, channels)).toEqual({ ...switched(rule, true, channels), enabled: false });
  });
});

test.for([
  [{ name: '   ' }, 'name'],
  [{ forS: '' }, 'forS'],
  [{ forS: '1.5' }, 'forS'],
  [{ forS: '-1' }, 'forS'],
  [{ forS: '86401' }, 'forS'],
  [{ forS: 'soon' }, 'forS'],
  [{ group: 'Großer Saal' }, 'group'],
  [{ isQuiet: true, quietTo: '' }, 'quiet'],
  [{ isQuiet: true, timeZone: 'Berlin' }, 'timeZone'],
  [{ isQuiet: true, timeZone: '' }, 'timeZone'],
  [{ isEscalated: true, escalateTo: ['c-1'], escalateAfterMin: '0' }, 'escalateAfterMin'],
  [{ isEscalated: true, escalateTo: ['c-1'], escalateAfterMin: 'x' }, 'escalateAfterMin'],
  [{ isEscalated: true, escalateTo: [] }, 'escalateTo'],
] as const satisfies readonly [Partial<RuleDraft>, string][])('%o is a problem of %s alone', ([change, field]) => {
  const checked = checkRule({ ...newDraft('UTC'), name: 'A name', ...change });
  expect(checked.kind === 'problems' && Object.keys(checked.problems)).toEqual([field]);
});
