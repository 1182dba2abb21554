import { describe, expect, test } from 'vitest';
import { countsByKind, matches, urgency, worstFirst } from '#fleet-server/web/devices/order.ts';
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
  const device = aDevice({ name: 'Main Hall', group: 'lecture-halls', conditions: [{ code: 'board-hot', since: noon }] });
  test.for([
    ['nothing typed', '', true],
    ['part of the name in another case', 'main', true],
    ['words in any order', 'hall main', true],
    ['the group', 'lecture', true],
    ['a problem', 'hot', true],
    ['the state', 'live', true],
    ['a word that is nowhere', 'main garage', false],
  ] as const)('%s', ([, text, expected]) => {
    expect(matches(device, { text, kind: null })).toBe(expected);
  });

  test('a chosen state leaves out the others', () => {
    expect(matches(device, { text: '', kind: 'failed' })).toBe(false);
    expect(matches(device, { text: '', kind: 'live' })).toBe(true);
  });
});
