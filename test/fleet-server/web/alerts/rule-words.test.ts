import { expect, test } from 'vitest';
import { ruleWords, secondsWords } from '#fleet-server/web/alerts/rule-words.ts';
import type { AlertRule } from '#protocol/model/alert.ts';

const rule: AlertRule = {
  id: 'r-1',
  name: 'Away',
  trigger: { kind: 'offline' },
  forS: 60,
  severity: 'critical',
  group: null,
  enabled: true,
  channelIds: ['c-1'],
  quietHours: null,
  escalation: null,
};
const channels = [
  { id: 'c-1', name: 'Ops' },
  { id: 'c-2', name: 'Mail' },
];

test.for<[Partial<AlertRule>, string]>([
  [{}, 'When a device is offline for 1 min: told to Ops.'],
  [{ channelIds: [], forS: 0 }, 'When a device is offline: shown here, nobody is told.'],
  [{ channelIds: ['gone'] }, 'When a device is offline for 1 min: shown here, nobody is told.'],
  [{ trigger: { kind: 'relay-down' }, forS: 5 }, 'When the relay is down for 5 s: told to Ops.'],
  [{ trigger: { kind: 'broker-down' }, forS: 5 }, 'When the MQTT broker is down for 5 s: told to Ops.'],
  [{ group: 'halls', forS: 90 }, 'When a device of the group halls is offline for 90 s: told to Ops.'],
  [
    { trigger: { kind: 'condition', conditions: ['output-down', 'pipeline-failed'], severity: 'info' } },
    'When a device reports “Stream target unreachable” or “Pipeline failed” for 1 min: told to Ops.',
  ],
  [
    { trigger: { kind: 'condition', conditions: [], severity: 'warning' } },
    'When a device reports something of warning or worse for 1 min: told to Ops.',
  ],
  [{ trigger: { kind: 'condition', conditions: [], severity: 'info' }, forS: 0 }, 'When a device reports any condition: told to Ops.'],
  [
    { quietHours: { from: '22:00', to: '06:00', timeZone: 'UTC' }, escalation: { afterS: 900, channelIds: ['c-1', 'c-2'] } },
    'When a device is offline for 1 min: told to Ops. Nobody is told from 22:00 to 06:00 (UTC). Not acknowledged after 15 min: told to Ops, Mail.',
  ],
])('%o', ([change, words]) => {
  expect(ruleWords({ ...rule, ...change }, channels)).toBe(words);
});

test.for([
  [0, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [90, '90 s'],
  [3600, '1 h'],
  [5400, '1 h 30 min'],
] as const)('%i seconds', ([seconds, words]) => {
  expect(secondsWords(seconds)).toBe(words);
});
