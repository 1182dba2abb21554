import { describe, expect, test } from 'vitest';
import { countsByKind, countsByTag, matches, newcomersOf, urgency, worstFirst } from '#fleet-server/web/devices/order.ts';
import { aDevice, noon } from './a-device.ts';

describe('the order of devices', () => {
  test('what needs somebody most comes first, then by name, with numbers as numbers', () => {
    const devices = [
      aDevice({ id: 'd-a', name: 'Room 10', kind: 'live' }),
      aDevice({ id: 'd-b', name: 'Room 2', kind: 'live' }),
      aDevice({ id: 'd-c', name: 'Stopped', kind: 'stopped' }),
      aDevice({ id: 'd-d', name: 'Offline', kind: 'offline' }),
      aDevice({ id: 'd-e', name: 'Failed', kind: 'failed' }),
      aDevice({ id: 'd-f', name: 'Not arriving', kind: 'not-arriving' }),
      aDevice({ id: 'd-g', name: 'Starting', kind: 'starting' }),
      aDevice({ id: 'd-h', name: 'Elsewhere', kind: 'elsewhere' }),
    ];
    expect(worstFirst(devices).map(({ name }) => name)).toEqual([
      'Failed',
      'Not arriving',
      'Offline',
      'Starting',
      'Elsewhere',
      'Stopped',
      'Room 2',
      'Room 10',
    ]);
  });

  test.for([
    ['a critical condition', aDevice({ conditions: [{ code: 'output-down', since: noon }] })],
    ['a warning', aDevice({ conditions: [{ code: 'board-hot', since: noon }] })],
    [
      'refused settings',
      aDevice({ settings: { kind: 'refused', driftedSince: null, desiredRevision: 2, appliedRevision: 1, reason: 'no' } }),
    ],
  ] as const)('a live device with %s comes before one without', ([, device]) => {
    expect(urgency(device)).toBeLessThan(urgency(aDevice()));
  });

  test('a live device with a remark is no worse than one without', () => {
    expect(urgency(aDevice({ conditions: [{ code: 'test-picture', since: noon }] }))).toBe(urgency(aDevice()));
  });
});

test('counts are worst first, without the states that no device is in', () => {
  expect(countsByKind([aDevice(), aDevice({ kind: 'failed' }), aDevice()])).toEqual([
    { kind: 'failed', count: 1 },
    { kind: 'live', count: 2 },
  ]);
});

describe('the filter', () => {
  const device = aDevice({
    name: 'Main Hall',
    group: 'lecture-halls',
    tags: ['upstairs'],
    conditions: [{ code: 'board-hot', since: noon }],
  });
  test.for([
    ['nothing typed', '', true],
    ['part of the name in another case', 'main', true],
    ['words in any order', 'hall main', true],
    ['the group', 'lecture', true],
    ['a tag', 'upstairs', true],
    ['a problem', 'hot', true],
    ['the state', 'live', true],
    ['a word that is nowhere', 'main garage', false],
  ] as const)('%s', ([, text, expected]) => {
    expect(matches(device, { text, kind: null, tag: null })).toBe(expected);
  });

  test('a chosen state leaves out the others', () => {
    expect(matches(device, { text: '', kind: 'failed', tag: null })).toBe(false);
    expect(matches(device, { text: '', kind: 'live', tag: null })).toBe(true);
  });

  test('a chosen tag leaves out those without it', () => {
    expect(matches(device, { text: '', kind: null, tag: 'upstairs' })).toBe(true);
    expect(matches(device, { text: '', kind: null, tag: 'stage' })).toBe(false);
  });
});

test('tags are counted, by name', () => {
  expect(countsByTag([aDevice({ tags: ['stage', 'attic'] }), aDevice({ tags: ['stage'] }), aDevice()])).toEqual([
    { tag: 'attic', count: 1 },
    { tag: 'stage', count: 2 },
  ]);
});

test('who has waited longest to be let in comes first', () => {
  const devices = [
    aDevice({ id: 'd-late', waitingSince: '2026-01-05T12:00:01.000Z' }),
    aDevice({ id: 'd-in' }),
    aDevice({ id: 'd-early', waitingSince: noon }),
  ];
  expect(newcomersOf(devices).map(({ id }) => id)).toEqual(['d-early', 'd-late']);
});
