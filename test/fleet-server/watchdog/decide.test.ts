/** Rows of what was seen each second, and what was done when. */
import { describe, expect, test } from 'vitest';
import { keptReport } from '#fleet-server/devices/kept-report.ts';
import type { DeviceView } from '#fleet-server/watchdog/contract.ts';
import { type Act, decide, initialState, type WatchdogAction } from '#fleet-server/watchdog/decide.ts';
import { defaultPolicy, pauseAfterMs } from '#fleet-server/watchdog/policy.ts';
import { nextStep } from '#fleet-server/watchdog/steps.ts';
import type { WatchdogPolicy } from '#protocol/model/watchdog.ts';
import { bodies } from '../bodies.ts';
import { atRest, elsewhere, failed, good, missing, offline, output, preview, reconnected, recording, since } from './device-views.ts';

type Second = { readonly device: DeviceView; readonly relaySinceS?: number | null; readonly isSilenced?: boolean };

const saying = (...codes: string[]): DeviceView => ({ ...good, conditions: codes.map((code) => ({ code })) });

/** Runs from 0, second by second or as `everyS` says, and answers what was done, as "second: command". */
function run(
  seconds: number,
  at: (second: number) => Second,
  policy: WatchdogPolicy = defaultPolicy,
  earlier: readonly Act[] = [],
  everyS = 1,
) {
  let state = initialState(0, new Map([['dev-one', earlier]]));
  const done: string[] = [];
  const actions: WatchdogAction[] = [];
  for (let second = 0; second <= seconds; second += everyS) {
    const { device, relaySinceS = 0, isSilenced = false } = at(second);
    const relayRunningSinceMs = () => (relaySinceS === null ? null : relaySinceS * 1000);
    const views = { devices: [device], relayRunningSinceMs, policyOf: () => policy, isSilenced: () => isSilenced };
    const step = decide(state, views, second * 1000);
    state = step.state;
    for (const action of step.actions) {
      actions.push(action);
      done.push(`${second}: ${action.kind === 'restart' ? action.command : action.kind}`);
    }
  }
  return { done, actions, state };
}

const rows: [string, number, (second: number) => Second, string[]][] = [
  ['a device that streams is left alone', 600, () => ({ device: good }), []],
  ['a failed pipeline is restarted within two seconds', 35, (s) => ({ device: s < 30 ? good : failed }), ['31: restart-pipeline']],
  ['a failure that the device mends at once is its own business', 60, (s) => ({ device: s === 30 ? failed : good }), []],
  [
    'a stream that does not arrive is restarted within ten seconds',
    48,
    (s) => ({ device: s < 30 ? good : missing }),
    ['39: restart-pipeline'],
  ],
  ['a device that was told to stop is left alone, whatever its camera does', 100, (s) => ({ device: s < 30 ? good : atRest }), []],
  ['its previews are no reason to look after it', 100, (s) => ({ device: s < 30 ? good : { ...atRest, outputs: [preview] } }), []],
  ['a preview that does not come is no fault', 100, () => ({ device: { ...good, outputs: [output('streaming'), preview] } }), []],
  [
    'one that was told to stop and records is mended',
    35,
    (s) => ({ device: s < 30 ? good : { ...atRest, outputs: [recording] } }),
    ['31: restart-pipeline'],
  ],
  ['a stream that comes within nine seconds is waited for', 80, (s) => ({ device: s >= 30 && s < 39 ? missing : good }), []],
  [
    'a device that cannot reach its target does not claim to stream',
    100,
    () => ({ device: { ...missing, outputs: [output('waiting')] } }),
    [],
  ],
  [
    'step after step, and the pauses double; the board only where its own environment allows it',
    700,
    (s) => ({ device: s < 20 ? good : failed }),
    [
      '21: restart-pipeline',
      '31: restart-media-host',
      '51: restart-media-host',
      '91: restart-agent',
      '171: restart-agent',
      '331: restart-media-host',
      '631: restart-media-host',
    ],
  ],
  [
    'after a minute without a fault the next is the first again',
    150,
    (s) => ({ device: (s >= 20 && s < 33) || s >= 100 ? failed : good }),
    ['21: restart-pipeline', '31: restart-media-host', '101: restart-pipeline', '111: restart-media-host', '131: restart-media-host'],
  ],
  [
    '… also where there was no sound all the time, which is only told',
    150,
    (s) => ({ device: { ...((s >= 20 && s < 33) || s >= 100 ? failed : good), conditions: [{ code: 'audio-silent' }] } }),
    [
      '21: restart-pipeline',
      '31: restart-media-host',
      '51: tell',
      '101: restart-pipeline',
      '111: restart-media-host',
      '131: restart-media-host',
    ],
  ],
  [
    'a device that fails again and again within the minute is not a new case each time',
    100,
    (s) => ({ device: s >= 20 && s % 10 < 4 ? failed : good }),
    ['21: restart-pipeline', '31: restart-media-host', '51: restart-media-host', '91: restart-agent'],
  ],
  ['nothing in the first 15 s of the server', 15, () => ({ device: failed }), ['15: restart-pipeline']],
  ['nothing within 15 s after the relay came back', 44, (s) => ({ device: s < 20 ? good : missing, relaySinceS: s < 20 ? 0 : 30 }), []],
  [
    '… and then what is still wrong is mended',
    45,
    (s) => ({ device: s < 20 ? good : missing, relaySinceS: s < 20 ? 0 : 30 }),
    ['45: restart-pipeline'],
  ],
  ['nothing while the relay does not run', 300, () => ({ device: missing, relaySinceS: null }), []],
  [
    'a pipeline that failed is no matter of the relay',
    35,
    (s) => ({ device: s < 30 ? good : failed, relaySinceS: null }),
    ['31: restart-pipeline'],
  ],
  [
    'nothing within 15 s after a device came back',
    44,
    (s) => ({ device: s < 20 ? good : s < 30 ? offline(failed) : reconnected(failed) }),
    [],
  ],
  ['a reconnection between two looks counts as well', 44, (s) => ({ device: s < 30 ? good : reconnected(failed) }), []],
  ['… and then it is mended', 45, (s) => ({ device: s < 30 ? good : reconnected(failed) }), ['45: restart-pipeline']],
  ['nothing for a device that is offline', 300, () => ({ device: offline(failed) }), []],
  ['nothing for a device of which nothing is known yet', 300, () => ({ device: { ...failed, presence: { state: 'unknown', since } } }), []],
  ['that the relay receives nothing of a device that streams elsewhere is no fault', 300, () => ({ device: elsewhere(missing) }), []],
  [
    'a failed pipeline of a device that streams elsewhere is restarted within two seconds as well, whatever the relay does',
    35,
    (s) => ({ device: elsewhere(s < 30 ? good : failed), relaySinceS: null }),
    ['31: restart-pipeline'],
  ],
  [
    'one that streams elsewhere is left alone when it was told to stop, is offline or in a maintenance window',
    300,
    (s) => ({ device: elsewhere(s < 100 ? atRest : s < 200 ? offline(failed) : failed), isSilenced: s >= 200 }),
    [],
  ],
  [
    'its picture that stands still is restarted once, and then told',
    300,
    (s) => ({ device: elsewhere(s < 20 ? good : saying('picture-frozen')) }),
    ['30: restart-pipeline', '40: tell'],
  ],
  ['nothing for a device that has said nothing of its media', 300, () => ({ device: { ...missing, media: null, outputs: [] } }), []],
  [
    'a picture that stands still is restarted once, and then told',
    900,
    (s) => ({ device: s < 20 ? good : saying('picture-frozen') }),
    ['30: restart-pipeline', '40: tell'],
  ],
  [
    'one that stands still again within the hour is told only',
    3000,
    (s) => ({ device: (s >= 20 && s < 35) || (s >= 600 && s < 700) ? saying('picture-frozen') : good }),
    ['30: restart-pipeline', '610: tell'],
  ],
  ['a black picture is told and nothing is done', 900, (s) => ({ device: s < 20 ? good : saying('picture-black') }), ['50: tell']],
  ['so is silence', 900, (s) => ({ device: s < 20 ? good : saying('audio-silent') }), ['50: tell']],
  ['nothing in a maintenance window', 600, (s) => ({ device: s < 20 ? good : failed, isSilenced: s >= 15 }), []],
  [
    'what is still wrong at its end is mended then, from the first step on',
    310,
    (s) => ({ device: s < 20 ? good : failed, isSilenced: s >= 60 && s < 300 }),
    ['21: restart-pipeline', '31: restart-media-host', '51: restart-media-host', '301: restart-pipeline'],
  ],
];

describe('what is done, and when', () => {
  test.each(rows)('%s', (_name, seconds, at, expected) => {
    expect(run(seconds, at).done).toEqual(expected);
  });

  test.each<[string, (second: number) => DeviceView, string[]]>([
    [
      'black, and then silent',
      (s) => saying(...(s < 20 ? [] : s < 100 ? ['picture-black'] : ['audio-silent'])),
      ['50: tell the picture is black', '130: tell there is no sound'],
    ],
    [
      'black and silent at once',
      (s) => saying(...(s < 20 ? [] : ['picture-black', 'audio-silent'])),
      ['50: tell the picture is black', '51: tell there is no sound'],
    ],
    [
      'frozen, told once the restart did not end it, and then black',
      (s) => saying(...(s < 20 ? [] : s < 100 ? ['picture-frozen'] : ['picture-black'])),
      ['30: restart the picture stands still', '40: tell the picture stands still', '130: tell the picture is black'],
    ],
    [
      'black for a while, again soon and again late, and silent all the time',
      (s) => saying('audio-silent', ...(s < 60 || (s >= 100 && s < 140) || s >= 300 ? ['picture-black'] : [])),
      ['30: tell the picture is black', '31: tell there is no sound', '330: tell the picture is black'],
    ],
    [
      'black before and after it was offline, and silent then',
      (s) => (s >= 60 && s < 200 ? offline(good) : s < 60 ? saying('picture-black') : saying('picture-black', 'audio-silent')),
      ['30: tell the picture is black', '230: tell there is no sound'],
    ],
  ])('each fault is told once: %s', (_name, at, expected) => {
    const { done, actions } = run(600, (s) => ({ device: at(s) }));
    expect(done.map((line, index) => `${line.replace(/-pipeline$/, '')} ${/ s ([^.]+)/.exec(actions[index]?.detail ?? '')?.[1]}`)).toEqual(
      expected,
    );
  });

  test('at the bound each fault is told once, with what it is', () => {
    const at = (s: number) => ({ device: s < 20 ? good : s < 100 ? saying('picture-black') : s < 300 ? failed : missing });
    const { done, actions } = run(600, at, { ...defaultPolicy, maxAnHour: 0 });
    expect(done).toEqual(['50: tell', '101: pause', '309: pause']);
    expect(actions.map(({ detail }) => detail)).toEqual([
      'Seen: for 30 s the picture is black. The watchdog does nothing about it.',
      expect.stringMatching(/^0 restarts .* Seen: for 1 s the device reports that its pipeline failed: the camera is gone\.$/),
      expect.stringMatching(/^0 restarts .* Seen: for 9 s the device says that it streams, and the relay receives nothing\.$/),
    ]);
  });

  test.each<[string, number, (second: number) => DeviceView, string[]]>([
    [
      'a pipeline that fails for 0.9 s in every 1.5 s',
      34,
      (s) => (s < 20 || s % 1.5 >= 0.9 ? good : failed),
      ['23: restart-pipeline', '33.5: restart-media-host'],
    ],
    ['a stream that arrives for 1 s in every 9 s', 40, (s) => (s < 20 || s % 9 < 1 ? good : missing), ['30.5: restart-pipeline']],
    ['a pipeline that fails for half a second in every three', 600, (s) => (s < 20 || s % 3 >= 0.5 ? good : failed), []],
    ['a picture that is black now and then', 900, (s) => saying(...(s % 40 < 10 ? ['picture-black'] : [])), []],
    [
      'a picture that is black again soon after it was for long',
      190,
      (s) => saying(...(s < 100 || s >= 170 ? ['picture-black'] : [])),
      ['30: tell'],
    ],
  ])('what comes and goes: %s', (_name, seconds, at, expected) => {
    expect(run(seconds, (s) => ({ device: at(s) }), defaultPolicy, [], 0.5).done).toEqual(expected);
  });

  test('what comes and goes is called so', () => {
    const { actions } = run(30, (s) => ({ device: s < 20 || s % 1.5 >= 0.9 ? good : failed }), defaultPolicy, [], 0.5);
    expect(actions.map(({ detail }) => detail)).toEqual([expect.stringContaining('because for 1 s in parts the device reports')]);
  });

  test('going offline does not make a device innocent', () => {
    const { done } = run(80, (s) => ({
      device: s < 20 ? good : s >= 40 && s < 50 ? offline(failed) : s < 40 ? failed : reconnected(failed),
    }));
    expect(done).toEqual(['21: restart-pipeline', '31: restart-media-host', '65: restart-media-host']);
  });

  test('is bound: no more than the policy’s number of restarts an hour, and it says so once', () => {
    const { done, actions } = run(4 * 3600, (s) => ({ device: s < 20 ? good : failed }));
    const times = done.filter((line) => line.includes('restart')).map((line) => Number.parseInt(line, 10));
    const within = (from: number, command: string) =>
      done.filter((line) => line.endsWith(command) && Number.parseInt(line, 10) >= from && Number.parseInt(line, 10) < from + 3600).length;
    for (const from of times) {
      expect(times.filter((at) => at >= from && at < from + 3600).length).toBeLessThanOrEqual(defaultPolicy.maxAnHour);
      for (const { command, maxAnHour } of defaultPolicy.steps) expect(within(from, command)).toBeLessThanOrEqual(maxAnHour);
    }
    const steps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.max(...steps.slice(0, 10))).toBe(300);
    const pauses = actions.filter(({ kind }) => kind === 'pause').length;
    expect(pauses).toBeGreaterThan(0);
    expect(pauses).toBeLessThan(times.length);
  });

  test('what an earlier life of the server did within the hour counts', () => {
    const earlier = Array.from({ length: 12 }, (_, index): Act => ({ command: 'restart-pipeline', fault: null, atMs: -index * 1000 }));
    expect(run(300, () => ({ device: failed }), defaultPolicy, earlier).done).toEqual(['15: pause']);
  });

  test('the policy decides: which steps, how often, and about what', () => {
    const policy: WatchdogPolicy = {
      ...defaultPolicy,
      faults: {
        ...defaultPolicy.faults,
        'picture-black': { response: 'escalate', holdS: 5 },
        'pipeline-failed': { response: 'ignore', holdS: 1 },
      },
      steps: [{ command: 'restart-agent', attempts: 1, maxAnHour: 1 }],
    };
    expect(run(300, (s) => ({ device: s < 20 ? good : saying('picture-black') }), policy).done).toEqual(['25: restart-agent', '35: pause']);
    expect(run(300, () => ({ device: failed }), policy).done).toEqual([]);
    expect(run(300, () => ({ device: failed }), { ...defaultPolicy, maxAnHour: 0 }).done).toEqual(['15: pause']);
  });

  test('each action says why, and when the next may come', () => {
    const [action] = run(35, (s) => ({ device: s < 30 ? good : failed })).actions;
    expect(action).toMatchObject({ deviceId: 'dev-one', fault: 'pipeline-failed', attempt: 1 });
    expect(action?.detail).toBe(
      'Attempt 1, because for 1 s the device reports that its pipeline failed: the camera is gone. The next one in 10 s at the earliest.',
    );
  });

  test('what is kept does not grow', () => {
    const { state } = run(4 * 3600, (s) => ({ device: s % 3 === 0 ? good : failed }));
    expect(state.devices.get('dev-one')?.acts.length).toBeLessThanOrEqual(defaultPolicy.maxAnHour);
    const nobody = { devices: [], relayRunningSinceMs: () => 0, policyOf: () => defaultPolicy, isSilenced: () => false };
    expect(decide(state, nobody, 0).state.devices.size).toBe(0);
  });

  test('the steps', () => {
    const allowing = {
      ...good,
      report: keptReport(bodies.report({ capabilities: [], settings: { AV_ALLOW_REBOOT: { value: true, level: 'environment' } } })),
    };
    const old = { ...good, report: keptReport(bodies.report({ capabilities: ['restart-pipeline'], settings: {} })) };
    const stepAfter = (attempts: number, device: DeviceView) => nextStep(defaultPolicy.steps, attempts, [], device);
    expect([0, 1, 2, 3, 4, 5, 9].map((attempts) => stepAfter(attempts, allowing))).toEqual([
      ...['restart-pipeline', 'restart-media-host', 'restart-media-host', 'restart-agent', 'restart-agent', 'reboot', 'reboot'],
    ]);
    expect(stepAfter(5, good)).toBe('restart-agent');
    expect(stepAfter(5, old)).toBe('restart-pipeline');
    const never = defaultPolicy.steps.map((step) => ({ ...step, maxAnHour: 0 }));
    expect(nextStep(never, 0, [], allowing)).toBeNull();
    expect([1, 2, 3, 4, 5, 6, 20].map((attempt) => pauseAfterMs(defaultPolicy, attempt))).toEqual([
      ...[10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000],
    ]);
  });
});
