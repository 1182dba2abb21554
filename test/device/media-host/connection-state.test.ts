import { describe, expect, it } from 'vitest';
import {
  type ConnectionEvent,
  type ConnectionState,
  reconnectPolicy,
  reportedState,
  transition,
} from '#device/media-host/connection-state.ts';

const moment = { nowMs: 50_000, random: 0, policy: { firstMs: 500, factor: 2, capMs: 10_000, jitter: 0.5 } };
const failed: ConnectionEvent = { kind: 'failed', reason: 'no such host' };

const rows: readonly (readonly [string, ConnectionState, ConnectionEvent, ConnectionState, string])[] = [
  ['is started', { kind: 'stopped' }, { kind: 'start' }, { kind: 'connecting', attempt: 1, lastError: null }, 'open'],
  [
    'is let in',
    { kind: 'connecting', attempt: 1, lastError: null },
    { kind: 'connected' },
    { kind: 'streaming', attempt: 1, sinceMs: 50_000 },
    'say output-streaming',
  ],
  [
    'fails for the first time and says so',
    { kind: 'connecting', attempt: 1, lastError: null },
    failed,
    { kind: 'waiting', attempt: 2, untilMs: 50_500, lastError: 'no such host' },
    'close, wait 500, say output-refused',
  ],
  [
    'fails for the same reason and waits longer, in silence',
    { kind: 'connecting', attempt: 3, lastError: 'no such host' },
    failed,
    { kind: 'waiting', attempt: 4, untilMs: 52_000, lastError: 'no such host' },
    'close, wait 2000',
  ],
  [
    'fails for another reason',
    { kind: 'connecting', attempt: 2, lastError: 'connection refused' },
    failed,
    { kind: 'waiting', attempt: 3, untilMs: 51_000, lastError: 'no such host' },
    'close, wait 1000, say output-refused',
  ],
  [
    'is lost after a good time: soon again',
    { kind: 'streaming', attempt: 9, sinceMs: 10_000 },
    failed,
    { kind: 'waiting', attempt: 2, untilMs: 50_500, lastError: 'no such host' },
    'close, wait 500, say output-lost',
  ],
  [
    'is lost at once: no sooner than before',
    { kind: 'streaming', attempt: 4, sinceMs: 49_000 },
    failed,
    { kind: 'waiting', attempt: 5, untilMs: 54_000, lastError: 'no such host' },
    'close, wait 4000, say output-lost',
  ],
  [
    'tries again',
    { kind: 'waiting', attempt: 4, untilMs: 50_000, lastError: 'no such host' },
    { kind: 'retry-due' },
    { kind: 'connecting', attempt: 4, lastError: 'no such host' },
    'open',
  ],
  ['is stopped while it waits', { kind: 'waiting', attempt: 4, untilMs: 9, lastError: '' }, { kind: 'stop' }, { kind: 'stopped' }, 'close'],
  ['is stopped while it streams', { kind: 'streaming', attempt: 1, sinceMs: 0 }, { kind: 'stop' }, { kind: 'stopped' }, 'close'],
  ['is stopped twice', { kind: 'stopped' }, { kind: 'stop' }, { kind: 'stopped' }, ''],
  ['hears of a failure too late', { kind: 'stopped' }, failed, { kind: 'stopped' }, ''],
  ['hears of a retry too late', { kind: 'stopped' }, { kind: 'retry-due' }, { kind: 'stopped' }, ''],
];

describe('a connection', () => {
  it.each(rows)('%s', (_, state, event, expected, effects) => {
    const result = transition(state, event, moment);
    expect(result.state).toEqual(expected);
    const said = result.effects.map((effect) => {
      if (effect.kind === 'wait') return `wait ${effect.delayMs}`;
      return effect.kind === 'say' ? `say ${effect.event}` : effect.kind;
    });
    expect(said.join(', ')).toBe(effects);
  });

  it('tells its last error while it waits and while it tries again', () => {
    const clock = { nowMs: () => 0, monotonicMs: () => 0 };
    const lastError = 'no such host';
    const states: ConnectionState[] = [
      { kind: 'connecting', attempt: 1, lastError: null },
      { kind: 'waiting', attempt: 2, untilMs: 500, lastError },
      { kind: 'connecting', attempt: 2, lastError },
    ];
    expect(states.map((state) => reportedState(state, clock))).toEqual([
      { kind: 'connecting', attempt: 1 },
      { kind: 'waiting', attempt: 2, nextTryAt: '1970-01-01T00:00:00.500Z', lastError },
      { kind: 'connecting', attempt: 2, lastError },
    ]);
  });

  it('tries a relay that was restarted about once a second, and one that is gone each ten seconds at most', () => {
    let state: ConnectionState = { kind: 'connecting', attempt: 1, lastError: null };
    const waits: number[] = [];
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const step = transition(state, failed, { nowMs: 0, random: 0, policy: reconnectPolicy });
      if (step.state.kind === 'waiting') waits.push(step.state.untilMs);
      state = transition(step.state, { kind: 'retry-due' }, moment).state;
    }
    expect(Math.max(...waits.slice(0, 4))).toBeLessThan(1200);
    expect(Math.max(...waits)).toBe(10_000);
  });
});
