/** Whatever comes, in whatever order, and wherever the work is cut off: a chart says what one computes from the raw samples. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { figuresWithMax, figuresWithMin, type HealthFigure, healthFigures } from '#fleet-server/health/health-figures.ts';
import { HealthRollUp } from '#fleet-server/health/health-roll-up.ts';
import { chart, insertSamples } from '#fleet-server/health/health-store.ts';
import type { HealthSamplesTable } from '#fleet-server/store/schema.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;

let api: ApiUnderTest;
let ids: string[];
beforeEach(async () => {
  api = await startApi();
  ids = [(await api.join({ name: 'one' })).deviceId, (await api.join({ name: 'two' })).deviceId];
});
afterEach(() => api.close());

/** Numbers from 0 to 1 that are the same in each run: https://en.wikipedia.org/wiki/Linear_congruential_generator */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

function sampleAt(deviceId: string, atMs: number, random: () => number): HealthSamplesTable {
  const perhaps = (value: number) => (random() < 0.2 ? null : value);
  return {
    deviceId,
    atMs,
    framesPerSecond: perhaps(Math.round(random() * 30)),
    videoBitrateKbps: perhaps(random() * 4000),
    temperatureC: perhaps(random() * 80),
    loadAverage1m: perhaps(random() * 4),
    memoryAvailableBytes: perhaps(Math.round(random() * 4e9)),
    audioRmsDbfs: perhaps(-random() * 100),
    audioVideoDriftMs: perhaps(random() * 200 - 100),
  };
}

type Point = Record<string, number | null>;

function expectedChart(samples: readonly HealthSamplesTable[], deviceId: string, stepMs: number): Point[] {
  const steps = new Map<number, HealthSamplesTable[]>();
  for (const sample of samples.filter((one) => one.deviceId === deviceId)) {
    const atMs = Math.floor(sample.atMs / stepMs) * stepMs;
    steps.set(atMs, [...(steps.get(atMs) ?? []), sample]);
  }
  return [...steps].toSorted(([a], [b]) => a - b).map(([atMs, of]) => pointOf(atMs, of));
}

function pointOf(atMs: number, of: readonly HealthSamplesTable[]): Point {
  const valuesOf = (figure: HealthFigure) => of.map((sample) => sample[figure]).filter((value) => value !== null);
  const each = (figures: readonly HealthFigure[], suffix: string, reduce: (values: number[]) => number) =>
    figures.map((figure) => [`${figure}${suffix}`, valuesOf(figure).length === 0 ? null : reduce(valuesOf(figure))]);
  return {
    atMs,
    ...Object.fromEntries([
      ...each(healthFigures, '', (values) => values.reduce((sum, value) => sum + value, 0) / values.length),
      ...each(figuresWithMin, 'Min', (values) => Math.min(...values)),
      ...each(figuresWithMax, 'Max', (values) => Math.max(...values)),
    ]),
  };
}

async function expectCharts(samples: readonly HealthSamplesTable[], fromMs: number): Promise<void> {
  const toMs = api.clock.nowMs() + 1;
  // Said at the end: of tens of thousands of figures, asking for each by itself takes most of the time.
  const wrong: string[] = [];
  for (const deviceId of ids) {
    for (const [resolution, stepS] of [
      ['raw', 60],
      ['minutes', 60],
      ['minutes', 420],
      ['hours', 3600],
      ['hours', 7200],
    ] as const) {
      const rows = await chart(api.store().database, deviceId, { resolution, fromMs, toMs, stepS });
      const expected = expectedChart(samples, deviceId, stepS * 1000);
      expect(rows.map(({ atMs }) => atMs)).toEqual(expected.map(({ atMs }) => atMs));
      for (const [index, row] of rows.entries()) {
        for (const [name, value] of Object.entries(expected[index] ?? {})) {
          const came = row[name as keyof typeof row];
          // Sums in another order differ in their last digits.
          const isRight = value === null ? came === null : typeof came === 'number' && Math.abs(came - value) < 0.00005;
          if (!isRight) wrong.push(`${resolution} ${stepS} ${name} at ${row.atMs}: expected ${value}, came ${came}`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
}

test.each([
  { seed: 1, devicesAtOnce: 250 },
  { seed: 2, devicesAtOnce: 1 },
  { seed: 3, devicesAtOnce: 2 },
])('roll-ups say what the raw samples say, also of late ones ($seed, $devicesAtOnce at once)', async ({ seed, devicesAtOnce }) => {
  const random = sequence(seed);
  const { database } = api.store();
  const startMs = api.clock.nowMs();
  const samples: HealthSamplesTable[] = [];
  for (let round = 0; round < 12; round += 1) {
    api.clock.jump(Math.floor(random() * 50) * minuteMs + Math.floor(random() * minuteMs));
    const nowMs = api.clock.nowMs();
    const isLate = random() < 0.4;
    const spanMs = isLate ? nowMs - startMs : 10 * minuteMs;
    const made = Array.from({ length: 40 }, () => {
      const atMs = Math.max(startMs, nowMs - Math.floor(random() * spanMs));
      return sampleAt(ids[random() < 0.5 ? 0 : 1] ?? '', atMs, random);
    });
    // The first of a device and a moment stays.
    for (const sample of made) {
      if (!samples.some(({ deviceId, atMs }) => deviceId === sample.deviceId && atMs === sample.atMs)) samples.push(sample);
    }
    await insertSamples(database, made);
    // Cut off after some of its transactions, as a server that is killed; another one goes on.
    let steps = Math.floor(random() * 6);
    await new HealthRollUp({ database, clock: api.clock, devicesAtOnce }).run(() => steps-- > 0);
    // Only late samples that wait for their turn may be missing from the coarse tables, until then.
    const waiting = await database.selectFrom('healthLate').selectAll().execute();
    if (waiting.length === 0) await expectCharts(samples, startMs - hourMs);
    if (random() < 0.5) {
      await new HealthRollUp({ database, clock: api.clock, devicesAtOnce }).run();
      await expectCharts(samples, startMs - hourMs);
    }
  }
  await new HealthRollUp({ database, clock: api.clock, devicesAtOnce }).run();
  await expectCharts(samples, startMs - hourMs);
  const before = await database.selectFrom('healthHours').selectAll().orderBy('deviceId').orderBy('atMs').execute();
  // From the very beginning once more: nothing changes.
  await database.deleteFrom('healthProgress').execute();
  await new HealthRollUp({ database, clock: api.clock, devicesAtOnce }).run();
  expect(await database.selectFrom('healthHours').selectAll().orderBy('deviceId').orderBy('atMs').execute()).toEqual(before);
});

test('what comes while its minute is being rolled up is rolled up as well', async () => {
  const random = sequence(4);
  const { database } = api.store();
  const startMs = api.clock.nowMs();
  const [first = ''] = ids.toSorted();
  const samples = ids.map((deviceId) => sampleAt(deviceId, startMs + 1000, random));
  await insertSamples(database, samples);
  api.clock.jump(2 * minuteMs);
  const rollUp = new HealthRollUp({ database, clock: api.clock, devicesAtOnce: 1 });
  const coming: Promise<void>[] = [];
  await rollUp.run(() => {
    const sample = sampleAt(first, startMs + 2000 + coming.length, random);
    samples.push(sample);
    coming.push(insertSamples(database, [sample]));
    return true;
  });
  await Promise.all(coming);
  await rollUp.run();
  await expectCharts(samples, startMs - hourMs);
});
