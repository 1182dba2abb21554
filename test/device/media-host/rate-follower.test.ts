import { describe, expect, it } from 'vitest';
import type { ControlOutcome } from '#device/media-host/encoder-control.ts';
import { type ElementControl, RateFollower } from '#device/media-host/rate-follower.ts';
import type { UplinkReading } from '#device/media-host/uplink-meter.ts';
import type { AdaptivePlan, LiveProperty, PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { rtmpOutput, testPlan } from '../media/test-plan.ts';

const output = rtmpOutput('rtmp', 'rtmp://relay/live', 'room');
const byProperty: AdaptivePlan = { element: 'encoder', property: 'bitrate', unitsPerKbps: 1, minimumKbps: 400, maximumKbps: 2500 };
const byControl: AdaptivePlan = { ...byProperty, property: 'video_bitrate', controlId: 0x9909cf, unitsPerKbps: 1000 };
const free: UplinkReading = { lagMs: 50, deliveredKbps: 2600 };
const slow: UplinkReading = { lagMs: 2000, deliveredKbps: 900 };

/** A follower, an encoder that says what it is told, and a clock that a look moves on. */
class Bench {
  readonly lives: (readonly LiveProperty[])[] = [];
  readonly controls: ElementControl[] = [];
  /** What the encoder's driver answers, until it is another. */
  answer: ControlOutcome | null = { kind: 'set' };
  /** What leaves it, in kbit/s; null: what it was told. */
  given: number | null = null;
  readonly #plan: PipelinePlan;
  #late: (outcome: ControlOutcome) => void = () => undefined;
  #nowMs = 0;
  readonly follower = new RateFollower({
    setLive: (live) => {
      this.lives.push(live);
      return null;
    },
    setControl: (control) => {
      this.controls.push(control);
      if (this.answer !== null) return Promise.resolve(this.answer);
      return new Promise((resolve) => {
        this.#late = resolve;
      });
    },
  });

  constructor(adaptive: AdaptivePlan) {
    this.#plan = { ...testPlan({ bitrateKbps: null, outputs: [output] }), adaptive };
  }

  /** Four looks a second. */
  async look(seconds: number, reading: UplinkReading, plan: PipelinePlan = this.#plan): Promise<void> {
    const outputs = plan.outputs.map((planned) => (planned.kind === 'rtmp' ? { plan: planned, uplink: () => reading } : { plan: planned }));
    for (let tick = 0; tick < seconds * 4; tick += 1) {
      this.#nowMs += 250;
      const told = (this.controls.at(-1)?.value ?? 2_500_000) / 1000;
      this.follower.advance({ nowMs: this.#nowMs, plan, outputs, audioKbps: 100, videoKbps: this.given ?? told });
      // What the driver answers is heard before the next look.
      await Promise.resolve();
      await Promise.resolve();
    }
  }

  async answerLate(outcome: ControlOutcome): Promise<void> {
    this.#late(outcome);
    await Promise.resolve();
    await Promise.resolve();
  }

  status(): ReturnType<RateFollower['status']> {
    return this.follower.status(this.#plan);
  }

  /** The same, where the stream is not wanted any more and the recording is. */
  recordingOnly(): PipelinePlan {
    return { ...this.#plan, outputs: testPlan({ recording: { segmentS: 600 } }).outputs };
  }

  /** The same, with a bitrate that stays. */
  steady(): PipelinePlan {
    const { adaptive: _, ...plan } = this.#plan;
    return plan;
  }
}

it('says nothing to an encoder whose way is free', async () => {
  const bench = new Bench(byControl);
  await bench.look(20, free);
  expect(bench.controls).toEqual([]);
  expect(bench.status()).toMatchObject({ bitrateKbps: 2500, limitedBy: null, reason: '' });
});

it('sets a property where the encoder has one', async () => {
  const bench = new Bench(byProperty);
  await bench.look(1, free);
  await bench.look(1, slow);
  expect(bench.lives).toEqual([[{ element: 'encoder', property: 'bitrate', value: 1250 }]]);
  expect(bench.controls).toEqual([]);
});

describe('an encoder with a control', () => {
  it('is told in its unit, down and up again', async () => {
    const bench = new Bench(byControl);
    await bench.look(1, free);
    await bench.look(1, slow);
    expect(bench.controls).toEqual([{ element: 'encoder', controlId: 0x9909cf, value: 1_250_000 }]);
    expect(bench.lives).toEqual([]);
    await bench.look(60, free);
    expect(bench.controls.at(-1)?.value).toBe(2_500_000);
    expect(bench.controls.slice(1).map(({ value }) => value)).toEqual(
      bench.controls
        .slice(1)
        .map(({ value }) => value)
        .toSorted((one, other) => one - other),
    );
  });

  it('is told one thing at a time', async () => {
    const bench = new Bench(byControl);
    await bench.look(1, free);
    bench.answer = null;
    await bench.look(5, slow);
    expect(bench.controls).toHaveLength(1);
    await bench.answerLate({ kind: 'set' });
    await bench.look(1, slow);
    expect(bench.controls).toHaveLength(2);
    expect(bench.controls[1]?.value).toBeLessThan(1_250_000);
  });

  it('is told again by the next look while it does not run', async () => {
    const bench = new Bench(byControl);
    await bench.look(1, free);
    bench.answer = { kind: 'not-open' };
    await bench.look(1, slow);
    expect(bench.controls.length).toBeGreaterThan(1);
    bench.answer = { kind: 'set' };
    await bench.look(0.25, slow);
    const told = bench.controls.length;
    await bench.look(0.25, slow);
    expect(bench.controls).toHaveLength(told);
  });

  it('is told anew after a capture that starts with what the plan says', async () => {
    const bench = new Bench(byControl);
    await bench.look(1, free);
    await bench.look(1, slow);
    bench.follower.onPlanInForce();
    await bench.look(0.25, free);
    expect(bench.controls.map(({ value }) => value)).toEqual([1_250_000, 1_250_000]);
  });

  it('is not taken for told by the answer of one that is there no more', async () => {
    const bench = new Bench(byControl);
    await bench.look(1, free);
    bench.answer = null;
    await bench.look(1, slow);
    bench.follower.onPlanInForce();
    await bench.answerLate({ kind: 'set' });
    bench.answer = { kind: 'set' };
    await bench.look(0.25, free);
    expect(bench.controls.map(({ value }) => value)).toEqual([1_250_000, 1_250_000]);
  });
});

describe('an encoder that refuses', () => {
  const why = 'the encoder takes no other bitrate while it runs: Invalid argument';

  async function refusing(): Promise<Bench> {
    const bench = new Bench(byControl);
    await bench.look(1, free);
    bench.answer = { kind: 'failed', reason: 'Invalid argument' };
    await bench.look(1, slow);
    return bench;
  }

  it('is asked once a minute, and what is said is what it gives and why', async () => {
    const bench = await refusing();
    expect(bench.controls).toHaveLength(1);
    expect(bench.status()).toEqual({ bitrateKbps: 2500, targetKbps: 2500, floorKbps: 400, limitedBy: null, reason: why });
    await bench.look(58, slow);
    expect(bench.controls).toHaveLength(1);
    await bench.look(3, slow);
    expect(bench.controls).toHaveLength(2);
    expect(bench.status()).toMatchObject({ bitrateKbps: 2500, reason: why });
  });

  it('is said nothing of any more ten seconds after the hold where the way is free', async () => {
    const bench = await refusing();
    await bench.look(65, free);
    expect(bench.status()).toMatchObject({ reason: why });
    await bench.look(8, free);
    expect(bench.status()).toMatchObject({ bitrateKbps: 2500, reason: '' });
    expect(bench.controls).toHaveLength(1);
  });

  it('follows once it obeys', async () => {
    const bench = await refusing();
    bench.answer = { kind: 'set' };
    await bench.look(62, slow);
    expect(bench.status()).toMatchObject({ limitedBy: 'rtmp', reason: 'rtmp takes no more' });
    expect(bench.status()?.bitrateKbps).toBeLessThan(2500);
  });
});

describe('an encoder that answers that all is well and goes on as before', () => {
  it('is found out, said, and asked again after a minute', async () => {
    const bench = new Bench(byControl);
    bench.given = 2450;
    await bench.look(1, free);
    await bench.look(40, slow);
    const told = bench.controls.length;
    expect(bench.status()).toEqual({
      bitrateKbps: 2450,
      targetKbps: 2500,
      floorKbps: 400,
      limitedBy: null,
      reason: 'the encoder takes no other bitrate while it runs: it was told 400 kbit/s, and gives 2450 still',
    });
    await bench.look(20, slow);
    expect(bench.controls).toHaveLength(told);
    await bench.look(40, slow);
    expect(bench.controls.length).toBeGreaterThan(told);
  });

  it('is told its whole bitrate again where the way is free: it may obey by then', async () => {
    const bench = new Bench(byControl);
    bench.given = 2450;
    await bench.look(1, free);
    await bench.look(40, slow);
    expect(bench.controls.at(-1)?.value).toBe(400_000);
    bench.given = null;
    await bench.look(120, free);
    expect(bench.controls.at(-1)?.value).toBe(2_500_000);
    expect(bench.status()).toMatchObject({ bitrateKbps: 2500, reason: '' });
  });

  it('is not taken for one by what it gives at first', async () => {
    const bench = new Bench(byControl);
    bench.given = 2450;
    await bench.look(1, free);
    await bench.look(1, slow);
    await bench.look(2, free);
    bench.given = null;
    await bench.look(60, free);
    expect(bench.status()).toMatchObject({ bitrateKbps: 2500, reason: '' });
  });

  it.each([
    ['obeys', null],
    ['gives more than it should, and far less than before', 1500],
  ])('is told from one that %s', async (_name, given) => {
    const bench = new Bench(byControl);
    await bench.look(1, free);
    bench.given = given;
    await bench.look(60, slow);
    expect(bench.status()).toMatchObject({ bitrateKbps: 400, limitedBy: 'rtmp' });
  });
});

it('gives a recording the whole bitrate when the stream has ended, and a new stream begins with it', async () => {
  const bench = new Bench(byControl);
  await bench.look(1, free);
  await bench.look(20, slow);
  expect(bench.controls.at(-1)?.value).toBeLessThan(1_000_000);
  await bench.look(0.25, free, bench.recordingOnly());
  expect(bench.controls.at(-1)?.value).toBe(2_500_000);
  const told = bench.controls.length;
  await bench.look(20, free, bench.recordingOnly());
  await bench.look(20, free);
  expect(bench.controls).toHaveLength(told);
  expect(bench.status()).toMatchObject({ bitrateKbps: 2500, reason: '' });
});

it.each([
  ['a property', byProperty],
  ['a control', byControl],
])('gives back the whole bitrate when nobody wants it to follow any more: %s', async (_name, adaptive) => {
  const bench = new Bench(adaptive);
  await bench.look(1, free);
  await bench.look(1, slow);
  await bench.look(1, free, bench.steady());
  const values = [...bench.controls.map(({ value }) => value / 1000), ...bench.lives.flat().map(({ value }) => value)];
  expect(values).toEqual([1250, 2500]);
});
