import { expect, test } from 'vitest';
import { defaultPolicy } from '#fleet-server/watchdog/policy.ts';
import {
  faultWords,
  hourSentence,
  originWords,
  ownPolicyWords,
  pausesSentence,
  responseSentence,
  secondsWords,
  stepSentence,
} from '#fleet-server/web/watchdog/policy-words.ts';
import { conditionDefinitions } from '#protocol/conditions.ts';
import { watchdogFaults } from '#protocol/model/watchdog.ts';

test('a fault is called what it is called elsewhere', () => {
  for (const fault of watchdogFaults) expect(faultWords[fault].title).toBe(conditionDefinitions[fault].title);
});

test.for([
  [1, '1 s'],
  [60, '60 s'],
  [90, '90 s'],
  [120, '2 min'],
  [125, '125 s'],
  [3600, '60 min'],
] as const)('%i s is said as %s', ([seconds, words]) => {
  expect(secondsWords(seconds)).toBe(words);
});

test('each response says when it comes', () => {
  for (const response of ['escalate', 'once', 'tell'] as const) expect(responseSentence({ response, holdS: 9 })).toContain('After 9 s: ');
  expect(responseSentence({ response: 'ignore', holdS: 9 })).not.toContain('9 s');
});

test.for([
  [{ attempts: 1, maxAnHour: 12 }, false, 'Once, then the next step; at most 12 an hour.'],
  [{ attempts: 2, maxAnHour: 6 }, false, '2 times, then the next step; at most 6 an hour.'],
  [{ attempts: 1, maxAnHour: 1 }, true, 'Again and again; at most 1 an hour.'],
  [{ attempts: 1, maxAnHour: 0 }, false, 'Never taken: its bound an hour is 0.'],
] as const)('a step with %o, last: %s', ([step, isLast, words]) => {
  expect(stepSentence(step, isLast)).toBe(words);
});

test.for([
  [10, 300, 'Pauses: 10 s, 20 s, 40 s, 80 s, 160 s, then 5 min each time.'],
  [10, 20, 'Pauses: 10 s, then 20 s each time.'],
  [10, 10, 'Pauses: 10 s each time.'],
] as const)('pauses from %i to %i s', ([firstPauseS, maxPauseS, words]) => {
  expect(pausesSentence({ ...defaultPolicy, firstPauseS, maxPauseS })).toBe(words);
});

test('a bound of nothing is said as what it is', () => {
  expect(hourSentence(defaultPolicy)).toContain('At most 12 restarts');
  expect(hourSentence({ ...defaultPolicy, maxAnHour: 1 })).toContain('At most 1 restart ');
  const nothing = 'The watchdog restarts nothing; it only tells.';
  expect(hourSentence({ ...defaultPolicy, maxAnHour: 0 })).toBe(nothing);
  expect(hourSentence({ ...defaultPolicy, steps: defaultPolicy.steps.map((step) => ({ ...step, maxAnHour: 0 })) })).toBe(nothing);
});

test.for([
  ['default', null, 'Nobody has set a policy for the fleet: this is what the watchdog comes with.'],
  ['default', 'halls', 'Nobody has set a policy for halls or for the fleet: this is what the watchdog comes with.'],
  ['fleet', null, 'For every device whose group has no policy of its own, set by ada on today.'],
  ['fleet', 'halls', 'halls has no policy of its own: the fleet’s counts, set by ada on today.'],
  ['group', 'halls', 'For halls, set by ada on today.'],
] as const)('it comes from %s, seen for %s', ([level, group, words]) => {
  const changed = level === 'default' ? { changedAt: null, changedBy: null } : { changedAt: '2026-11-28T10:00:00.000Z', changedBy: 'ada' };
  expect(originWords({ policy: defaultPolicy, level, ...changed }, group, () => 'today').words).toBe(words);
});

test.each([
  [{ deviceCount: 0, isAsFleet: false }, 'no devices, set by ann on that day'],
  [{ deviceCount: 1, isAsFleet: true }, '1 device, set by ann on that day, says the same as the fleet’s'],
  [{ deviceCount: 12, isAsFleet: false }, '12 devices, set by ann on that day'],
])('a group’s own policy: %j', (own, words) => {
  expect(ownPolicyWords({ name: 'hall', changedAt: '2026-11-21T12:00:00Z', changedBy: 'ann', ...own }, () => 'that day')).toBe(words);
});
