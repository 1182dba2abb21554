/** The watchdog on a clock of its own. */
import { describe, expect, test } from 'vitest';
import type { Act } from '#fleet-server/watchdog/decide.ts';
import { defaultPolicy } from '#fleet-server/watchdog/policy.ts';
import { Watchdog } from '#fleet-server/watchdog/watchdog.ts';
import { manualClock } from '../manual-clock.ts';
import { failed, good, missing } from './device-views.ts';

/** What the watchdog asks, of a fleet of which nothing else is to be said. */
const calm = {
  isLeader: () => true,
  relayRunningSinceMs: () => 0,
  policyOf: () => defaultPolicy,
  isSilenced: () => false,
  actsSince: async () => new Map(),
};

describe('carrying it out', () => {
  test('a command to the device and an entry in its history; what fails does not stop it', async () => {
    let nowMs = 0;
    let tick = () => {};
    let isCancelled = false;
    const clock = {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      after: () => () => {},
      every: (_ms: number, look: () => void) => {
        tick = look;
        return () => {
          isCancelled = true;
        };
      },
    };
    const calls: object[] = [];
    const logged: string[] = [];
    const write = (_fields: object, message: string) => void logged.push(message);
    const watchdog = new Watchdog({
      clock,
      log: { debug: write, info: write, warn: write, error: write },
      hooks: {
        ...calm,
        devices: () => [failed],
        appendHistory: (entry) => void calls.push(entry),
        requestCommand: (request) => {
          calls.push(request);
          return Promise.reject(new Error('the store is busy'));
        },
      },
    });
    watchdog.start();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    for (nowMs = 1000; nowMs <= 16_000; nowMs += 1000) tick();
    await Promise.resolve();
    await Promise.resolve();
    expect(calls).toEqual([
      {
        ...{ deviceId: 'dev-one', kind: 'restart-pipeline', arguments: {}, requestedBy: 'watchdog' },
        historyEntry: {
          ...{ deviceId: 'dev-one', origin: 'watchdog', kind: 'watchdog-restart-pipeline' },
          detail: expect.stringContaining('Attempt 1'),
        },
      },
    ]);
    await Promise.resolve();
    expect(logged).toContain('watchdog: an action could not be carried out');
    await watchdog.stop();
    await watchdog.stop();
    expect(isCancelled).toBe(true);
  });

  test('by a clock that is set meanwhile neither comes too late nor more often than allowed', async () => {
    const clock = manualClock(0);
    const requests: string[] = [];
    const history: Act[] = [];
    const quiet = () => undefined;
    const start = () => {
      const watchdog = new Watchdog({
        clock,
        log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
        hooks: {
          ...calm,
          devices: () => [failed],
          policyOf: () => ({ ...defaultPolicy, maxAnHour: 2 }),
          actsSince: async (sinceMs) => new Map([[failed.id, history.filter(({ atMs }) => atMs >= sinceMs)]]),
          appendHistory: quiet,
          requestCommand: ({ kind }) => {
            requests.push(kind);
            history.push({ command: 'restart-pipeline', fault: null, atMs: clock.nowMs() });
          },
        },
      });
      watchdog.start();
      return watchdog;
    };
    const first = start();
    await clock.advance(10_000);
    clock.set(-600_000);
    await clock.advance(7000);
    expect(requests).toEqual(['restart-pipeline']);
    clock.set(4_200_000);
    await clock.advance(120_000);
    expect(requests).toEqual(['restart-pipeline', 'restart-media-host']);
    // What the next server reads of it was, by its clock, yet to come.
    await first.stop();
    clock.set(-3_600_000);
    const second = start();
    await clock.advance(600_000);
    await second.stop();
    expect(requests).toHaveLength(2);
  });

  test('a relay that ran all the time is waited for by nobody', async () => {
    const clock = manualClock(0);
    const restartsAtMs: number[] = [];
    const quiet = () => undefined;
    let device = good;
    const watchdog = new Watchdog({
      clock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      hooks: {
        ...calm,
        devices: () => [device],
        appendHistory: quiet,
        requestCommand: () => restartsAtMs.push(clock.nowMs()),
      },
    });
    watchdog.start();
    await clock.advance(30_000);
    device = missing;
    await clock.advance(10_000);
    await watchdog.stop();
    expect(restartsAtMs).toEqual([39_500]);
  });
});
