import { expect, test } from 'vitest';
import { DriftMeter } from '#device/media-host/drift-meter.ts';
import { parseTag } from '#device/media-host/flv.ts';
import { makeTag } from './tags.ts';

const rateHz = 16_000;

/** AudioSpecificConfig: AAC-LC, index 8 (16 kHz), one channel. */
function aacHeader() {
  const bytes = Buffer.alloc(11 + 4 + 4);
  bytes[0] = 8;
  bytes.set([0xaf, 0, 0x14, 0x08], 11);
  const tag = parseTag(bytes);
  if (tag === null) throw new Error('expected a tag');
  return tag;
}

/** A small generator, so that each run is the same. */
function noise(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Half-second blocks of a source that gives `trueHz`, each late by up to 60 ms, and ticks of a clock that is off by `clockPpm`. */
function run(meter: DriftMeter, seconds: number, trueHz: number, options: { clockPpm?: number; lostAtS?: number } = {}): (number | null)[] {
  const { clockPpm = 0, lostAtS = Number.POSITIVE_INFINITY } = options;
  const random = noise();
  const seen: (number | null)[] = [];
  meter.addTag(aacHeader());
  for (let half = 1; half <= seconds * 2; half += 1) {
    const nowMs = half * 500;
    meter.addTick(nowMs / (1 + clockPpm / 1e6) + random() * 5);
    const blockMs = ((half * rateHz) / 2 / trueHz) * 1000;
    if (half / 2 === lostAtS) continue;
    if (meter.addFrames(rateHz / 2, blockMs + random() * 60)) seen.push(meter.latest === null ? null : Math.round(meter.latest.driftMs));
  }
  return seen;
}

test('nothing is known in the first seconds, and nothing without sound', () => {
  const meter = new DriftMeter();
  for (let tick = 0; tick < 100; tick += 1) meter.addTick(tick * 500);
  expect(meter.latest).toBeNull();
  expect(meter.addFrames(8000, 100_000)).toBe(false);
  meter.addTag(makeTag('sound', 0, 100));
  expect(meter.latest).toBeNull();
});

test('a clock that is right does not drift, however late the blocks come', () => {
  const seen = run(new DriftMeter(), 600, rateHz);
  expect(seen.length).toBeGreaterThan(50);
  for (const driftMs of seen) expect(Math.abs(driftMs ?? 99)).toBeLessThan(25);
});

test.each([16_016, 15_984])('%i samples a second instead of 16000: 60 ms a minute', (trueHz) => {
  const driftMs = run(new DriftMeter(), 133, trueHz).at(-1) ?? 0;
  expect(Math.abs(driftMs)).toBeGreaterThan(95);
  expect(Math.abs(driftMs)).toBeLessThan(135);
  expect(Math.sign(driftMs)).toBe(Math.sign(trueHz - rateHz));
});

test('where the sound card’s clock is the pipeline’s there is no drift, however wrong it is', () => {
  for (const driftMs of run(new DriftMeter(), 600, 16_016, { clockPpm: 1000 })) expect(Math.abs(driftMs ?? 99)).toBeLessThan(25);
});

test('half a second that is lost at once is no drift: the timestamps know of it', () => {
  const seen = run(new DriftMeter(), 120, rateHz, { lostAtS: 61 });
  for (const driftMs of seen) expect(Math.abs(driftMs ?? 999)).toBeLessThan(30);
});
