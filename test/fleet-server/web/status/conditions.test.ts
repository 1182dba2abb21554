import { expect, test } from 'vitest';
import { inWords, shownConditions } from '#fleet-server/web/status/conditions.ts';

const at = (minute: number): string => `2026-01-05T12:0${minute}:00.000Z`;

test('the worst come first, the oldest first among equals', () => {
  const shown = shownConditions([
    { code: 'test-picture', since: at(0) },
    { code: 'board-hot', since: at(2) },
    { code: 'disk-low', since: at(1) },
    { code: 'output-down', since: at(3) },
  ]);
  expect(shown.map(({ code }) => code)).toEqual(['output-down', 'disk-low', 'board-hot', 'test-picture']);
});

test('a condition is not shown while its cause is', () => {
  const shown = shownConditions([
    { code: 'output-down', since: at(0) },
    { code: 'pipeline-failed', since: at(0) },
  ]);
  expect(shown.map(({ code }) => code)).toEqual(['pipeline-failed']);
});

test('a condition of a newer agent is shown by its code', () => {
  expect(shownConditions([{ code: 'lens-dirty', since: at(0) }])[0]).toMatchObject({ title: 'Lens dirty', severity: 'warning' });
});

test('names in words', () => {
  expect(inWords('pipeline-restarted')).toBe('Pipeline restarted');
});
