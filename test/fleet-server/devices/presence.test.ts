import { describe, expect, test } from 'vitest';
import { type PresenceEvent, presenceAfter, presenceAtStart, presenceOfNewcomer } from '#fleet-server/devices/presence.ts';

type Step = readonly [atMs: number, event: PresenceEvent];
const connected: PresenceEvent = { kind: 'connected' };
const heard: PresenceEvent = { kind: 'heard' };
const time: PresenceEvent = { kind: 'time' };
const lost: PresenceEvent = { kind: 'disconnected', reason: 'The connection was lost.' };
const will: PresenceEvent = { kind: 'said-offline', reason: 'connection-lost' };
const stopping: PresenceEvent = { kind: 'said-offline', reason: 'stopping' };

/** By both clocks. */
const at = (ms: number) => ({ nowMs: ms, monotonicMs: ms });

const run = (steps: readonly Step[], start = presenceOfNewcomer(at(0))) =>
  steps.reduce((track, [atMs, event]) => presenceAfter(track, event, at(atMs)), start).shown;

describe('presence', () => {
  test.each<[string, readonly Step[], string]>([
    ['joined and never connected', [[99_999, time]], 'offline'],
    ['connected', [[10, connected]], 'online'],
    [
      'a closed connection, just now',
      [
        [10, connected],
        [100, lost],
        [400, time],
      ],
      'online',
    ],
    [
      'a closed connection, within a second',
      [
        [10, connected],
        [100, lost],
        [1000, time],
      ],
      'offline',
    ],
    [
      'back before the second is over',
      [
        [10, connected],
        [100, lost],
        [300, connected],
        [5000, time],
      ],
      'online',
    ],
    [
      'a message that was still on its way',
      [
        [10, connected],
        [100, lost],
        [150, heard],
        [1000, time],
      ],
      'offline',
    ],
    [
      'a will and a closed connection',
      [
        [10, connected],
        [100, will],
        [101, lost],
        [700, time],
      ],
      'offline',
    ],
    [
      'taken over by itself: the will of the old connection',
      [
        [10, connected],
        [100, will],
        [101, connected],
        [110, heard],
        [5000, time],
      ],
      'online',
    ],
    [
      'taken over by itself over a slow network: nothing is heard for a while after the will',
      [
        [10, connected],
        [90, connected],
        [100, will],
        [3000, time],
      ],
      'online',
    ],
    [
      'stopped by somebody',
      [
        [10, connected],
        [100, stopping],
      ],
      'offline',
    ],
    ['behind another server’s broker: only its messages are seen', [[10, heard]], 'online'],
    [
      'behind another server’s broker: its will',
      [
        [10, heard],
        [50, will],
        [1000, time],
      ],
      'offline',
    ],
  ])('%s', (_name, steps, expected) => {
    expect(run(steps).state).toBe(expected);
  });

  test('since and reason are those of the turn, not of the last word', () => {
    expect(
      run([
        [10, connected],
        [500, heard],
        [900, heard],
      ]),
    ).toEqual({
      state: 'online',
      since: '1970-01-01T00:00:00.010Z',
      reason: 'Connected.',
    });
    expect(
      run([
        [10, connected],
        [100, lost],
        [650, time],
        [9000, lost],
        [9999, time],
      ]),
    ).toEqual({
      state: 'offline',
      since: '1970-01-01T00:00:00.650Z',
      reason: 'The connection was lost.',
    });
  });

  test('a server whose own clock is set to another time goes by what has passed', () => {
    const online = presenceAfter(presenceOfNewcomer(at(0)), connected, at(10));
    const closed = presenceAfter(online, lost, { nowMs: 3_600_000, monotonicMs: 100 });
    expect(presenceAfter(closed, time, { nowMs: 0, monotonicMs: 700 }).shown.state).toBe('offline');
    const started = presenceAtStart(at(1000), 500);
    expect(presenceAfter(started, time, { nowMs: 3_600_000, monotonicMs: 2000 }).shown.state).toBe('unknown');
  });

  test('after a restart of the server: unknown until it is heard or the keepalive has run out', () => {
    const start = presenceAtStart(at(1000), 500);
    expect(run([[16_999, time]], start).state).toBe('unknown');
    expect(run([[17_000, time]], start)).toMatchObject({ state: 'offline', reason: 'Last heard at 1970-01-01T00:00:00.500Z.' });
    expect(
      run(
        [
          [5000, connected],
          [20_000, time],
        ],
        start,
      ).state,
    ).toBe('online');
  });
});
