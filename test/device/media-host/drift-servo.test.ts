/** The loop of measurement, servo and resampler, faster than real time: a source with a wrong clock for eight hours. */
import { expect, test } from 'vitest';
import { DriftServo } from '#device/media-host/drift-servo.ts';

const rateHz = 16_000;
const windowS = 10;
const windowsIn8Hours = (8 * 3600) / windowS;

type Run = { readonly worstMs: number; readonly lastMs: number; readonly changes: number; readonly changesInLastHours: number };

/** Measured with an error of up to 3 ms, as in real runs. The source's clock may wander while it gets warm. */
function eightHours(trueHz: (window: number) => number, isCorrected: boolean): Run {
  const servo = new DriftServo();
  let state = 7;
  let labelHz = rateHz;
  let driftMs = 0;
  let worstMs = 0;
  let changes = 0;
  let changesInLastHours = 0;
  for (let window = 0; window < windowsIn8Hours; window += 1) {
    driftMs += (trueHz(window) / labelHz - 1) * windowS * 1000;
    worstMs = Math.max(worstMs, Math.abs(driftMs));
    state = (state * 48_271) % 2_147_483_647;
    const measuredMs = driftMs + (state / 2_147_483_647) * 6 - 3;
    const wanted = isCorrected ? servo.steer({ driftMs: measuredMs, rateHz }) : null;
    if (wanted === null) continue;
    labelHz = wanted;
    changes += 1;
    if (window > windowsIn8Hours / 2) changesInLastHours += 1;
  }
  return { worstMs, lastMs: driftMs, changes, changesInLastHours };
}

test.each([
  { name: '0.1 % too fast', trueHz: () => 16_016 },
  { name: '0.1 % too slow', trueHz: () => 15_984 },
  { name: '50 parts in a million', trueHz: () => 16_000.8 },
  { name: 'half a hertz between two rates that can be set', trueHz: () => 16_008.5 },
  { name: 'a clock that wanders as it gets warm', trueHz: (window: number) => 16_004 + 4 * Math.sin(window / 200) },
])('$name: within 40 ms for eight hours', ({ trueHz }) => {
  const run = eightHours(trueHz, true);
  expect(run.worstMs).toBeLessThan(40);
  expect(Math.abs(run.lastMs)).toBeLessThan(20);
});

test('without it, 0.1 % are 28.8 s in eight hours', () => {
  expect(eightHours(() => 16_016, false).lastMs).toBeCloseTo(28_800, 0);
});

test('a right clock is left alone', () => {
  expect(eightHours(() => rateHz, true).changes).toBe(0);
});

test('a clock that is steady is seldom corrected anew: each change is a seam in the sound', () => {
  expect(eightHours(() => 16_016.3, true).changesInLastHours).toBeLessThan(100);
});

test('what is no clock but another rate is not followed beyond half a per cent', () => {
  const servo = new DriftServo();
  for (let window = 0; window < 100; window += 1) servo.steer({ driftMs: 90, rateHz });
  expect(servo.steer({ driftMs: -1000, rateHz })).toBe(rateHz * 0.995);
});
