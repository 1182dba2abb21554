/** The bound an hour of a capture's own restarts. What runs and fails is told by hand here; no-signal-card.test.ts has real captures. */
import { afterEach, describe, expect, it } from 'vitest';
import type { CaptureFailure, CaptureHandlers } from '#device/media-host/capture.ts';
import { CaptureKeeper } from '#device/media-host/capture-keeper.ts';
import type { Tag } from '#device/media-host/flv.ts';
import { restartsAnHour } from '#device/media-host/restart-allowance.ts';
import type { CapturePlan } from '#device/plan/pipeline-plan.ts';
import { until } from '../../until.ts';
import { manualClock } from '../manual-clock.ts';

const hourMs = 3_600_000;
const error: CaptureFailure = { reason: 'camera: it is busy', element: 'camera', isStandstill: false };
const standstill: CaptureFailure = { reason: 'no picture for 5 s', element: null, isStandstill: true };
const ofEncoder: CaptureFailure = { reason: 'encoder: it is busy', element: 'encoder', isStandstill: false };
const ofMicrophone: CaptureFailure = { reason: 'microphone: it is disconnected', element: 'microphone', isStandstill: false };
const keyframe: Tag = { kind: 'video', timestampMs: 0, isKeyframe: true, isHeader: false, bytes: Buffer.alloc(11) };

function planOf(kind: CapturePlan['source']['kind'], description = 'a capture'): CapturePlan {
  const source = { kind, id: 'c', label: 'C' };
  const plan = { description, source, encoder: 'x264enc', width: 160, height: 90, framesPerSecond: 30, hasAudio: true };
  return kind === 'camera' ? { ...plan, devicePath: '/dev/video7' } : plan;
}

const benches: Bench[] = [];
afterEach(() => {
  for (const { keeper } of benches.splice(0)) keeper.stop();
});

/** A keeper, the node of its camera, and captures that fail as soon as they have started: `failure` says of what, null not at all. */
class Bench {
  readonly clock = manualClock();
  readonly keeper: CaptureKeeper;
  failure: CaptureFailure | null = error;
  /** Null: the camera is away. */
  node: string | null = 'first';
  readonly startsMs: number[] = [];
  readonly started: string[] = [];
  /** When it was asked whether the microphone is at its card. */
  readonly asksMs: number[] = [];
  /** The microphone's card is at that port. */
  portOfCard = '1-1';
  #handlers: CaptureHandlers | null = null;

  constructor() {
    benches.push(this);
    const ignore = () => undefined;
    const handlers = {
      onStart: ignore,
      onTag: ignore,
      onPicture: ignore,
      onLookFailed: ignore,
      onSamples: ignore,
      onTick: ignore,
      onLuma: ignore,
      onState: ignore,
    };
    this.keeper = new CaptureKeeper(this.clock, () => 0, handlers, {
      whyAway: () => (this.node === null ? 'it is not there' : null),
      whyUnheard: (card) => {
        this.asksMs.push(this.clock.monotonicMs());
        return card === undefined || card.usb.port === this.portOfCard ? null : 'it is not there any more';
      },
      nodeStamp: () => this.node,
      newCapture: (description, clock, captureHandlers) => {
        this.#handlers = captureHandlers;
        const start = () => {
          this.startsMs.push(clock.monotonicMs());
          this.started.push(description);
          queueMicrotask(() => this.failure !== null && this.#handlers?.onFailed(this.failure));
          return null;
        };
        const setControl = () => Promise.resolve({ kind: 'not-open' } as const);
        return {
          description,
          start,
          stop: ignore,
          setLive: () => null,
          setControl,
          setText: ignore,
          setSoundRate: ignore,
          askForKeyframe: ignore,
        };
      },
    });
  }

  givePicture(): void {
    this.#handlers?.onTag(keyframe);
  }

  fail(failure: CaptureFailure): void {
    this.#handlers?.onFailed(failure);
  }

  /** Restarted by itself as often as that is done quickly, and once more just now. */
  async useUp(kind: CapturePlan['source']['kind'] = 'camera'): Promise<void> {
    void this.keeper.run(planOf(kind), []);
    await this.clock.advance(hourMs / 2);
    await this.clock.advance(this.nextTryAfterMs ?? 0);
    expect(this.nextTryAfterMs).toBeGreaterThan(50_000);
  }

  get nextTryAfterMs(): number | null {
    const { state } = this.keeper;
    const isHeld = (state.kind === 'failed' || state.kind === 'no-signal') && state.nextTryAt !== undefined;
    return isHeld ? Date.parse(state.nextTryAt ?? '') - this.clock.nowMs() : null;
  }

  startsSince(ms: number): number {
    return this.startsMs.filter((startMs) => startMs >= ms).length;
  }
}

describe('a camera that fails each time', () => {
  it('is restarted at the usual pace as long as the restarts of an hour last, then once a minute, for ever', async () => {
    const bench = new Bench();
    await bench.keeper.run(planOf('camera'), []);
    const begin = bench.clock.monotonicMs();
    await bench.clock.advance(4 * hourMs);
    const steps = bench.startsMs.slice(1).map((startMs, index) => startMs - (bench.startsMs[index] ?? 0));
    expect(Math.max(...steps.slice(0, restartsAnHour))).toBe(10_000);
    expect(new Set(steps.slice(2 * restartsAnHour))).toEqual(new Set([60_000]));
    expect(bench.startsMs.filter((startMs) => startMs < begin + hourMs).length).toBeLessThanOrEqual(2 * restartsAnHour);
    expect(bench.startsSince(begin + 3 * hourMs)).toBe(restartsAnHour);
  });

  it('says until when it waits, and no longer once it is tried', async () => {
    const bench = new Bench();
    await bench.useUp();
    const leftMs = bench.nextTryAfterMs ?? 0;
    expect(leftMs).toBeGreaterThan(0);
    const count = bench.startsMs.length;
    bench.failure = null;
    await bench.clock.advance(leftMs - 1);
    expect(bench.startsMs).toHaveLength(count);
    expect(bench.nextTryAfterMs).toBe(1);
    await bench.clock.advance(1);
    expect(bench.startsMs).toHaveLength(count + 1);
    expect(bench.keeper.state).toMatchObject({ kind: 'failed', reason: error.reason });
    expect(bench.nextTryAfterMs).toBeNull();
  });

  it('waits no longer and no less because the wall clock is corrected', async () => {
    const bench = new Bench();
    await bench.useUp();
    const leftMs = bench.nextTryAfterMs ?? 0;
    const count = bench.startsMs.length;
    bench.clock.correctWallClock(2 * hourMs);
    await bench.clock.advance(leftMs - 1);
    expect(bench.startsMs).toHaveLength(count);
    bench.clock.correctWallClock(-4 * hourMs);
    await bench.clock.advance(1);
    expect(bench.startsMs).toHaveLength(count + 1);
  });

  it.each([
    ['is seen to be away and is back', [null, 'second']],
    ['was away for less than a second', ['second']],
  ])('is tried within a second where it %s', async (_, nodes) => {
    const bench = new Bench();
    await bench.useUp();
    const count = bench.startsMs.length;
    for (const node of nodes) {
      expect(bench.startsMs).toHaveLength(count);
      bench.node = node;
      await bench.clock.advance(1000);
    }
    expect(bench.startsMs).toHaveLength(count + 1);
  });

  it.each([
    ['was seen to be away', [null, 'second']],
    ['was away for less than a second', ['second']],
  ])('is tried again and again for some seconds where it %s, and refuses at first', async (_, nodes) => {
    const bench = new Bench();
    await bench.useUp();
    for (const node of nodes) {
      bench.node = node;
      await bench.clock.advance(1000);
    }
    const count = bench.startsMs.length;
    await bench.clock.advance(2000);
    expect(bench.startsMs.length).toBeGreaterThan(count);
    expect(bench.nextTryAfterMs).toBeNull();
    await bench.clock.advance(15_000);
    expect(bench.nextTryAfterMs).not.toBeNull();
  });

  it('is tried at once where somebody restarts it, and with another plan', async () => {
    const bench = new Bench();
    await bench.useUp();
    const count = bench.startsMs.length;
    await bench.keeper.restart();
    expect(bench.startsMs).toHaveLength(count + 1);
    expect(bench.nextTryAfterMs).toBe(60_000);
    await bench.keeper.run(planOf('camera', 'another capture'), []);
    expect(bench.startsMs).toHaveLength(count + 2);
    // A camera that is back under another number, and refuses at first.
    await bench.clock.advance(2000);
    expect(bench.startsMs.length).toBeGreaterThan(count + 2);
  });
});

it('a camera that is away uses up nothing, however often it is looked for', async () => {
  const bench = new Bench();
  bench.node = null;
  await bench.keeper.run(planOf('camera'), []);
  await bench.clock.advance(2 * hourMs);
  expect(bench.keeper.state).toMatchObject({ kind: 'failed', reason: 'it is not there' });
  expect(bench.startsMs).toEqual([]);
  bench.node = 'second';
  const backMs = bench.clock.monotonicMs();
  await bench.clock.advance(60_000);
  expect(bench.startsSince(backMs)).toBeGreaterThan(5);
  expect(bench.nextTryAfterMs).toBeNull();
});

it.each([
  ['ends in an error, each time', error, 360],
  ['stands still, each time', standstill, restartsAnHour],
  ['has no encoder, each time', ofEncoder, restartsAnHour],
])('a source without a node that %s, is tried so often an hour: %#', async (_, failure, timesAnHour) => {
  const bench = new Bench();
  bench.failure = failure;
  await bench.keeper.run(planOf('element'), []);
  await bench.clock.advance(2 * hourMs);
  expect(bench.startsSince(bench.clock.monotonicMs() - hourMs)).toBeCloseTo(timesAnHour, -1);
});

it('what began before the clock was set has the time at which it did once it is', async () => {
  const bench = new Bench();
  await bench.keeper.run(planOf('camera'), []);
  await bench.clock.advance(60_000);
  const before = bench.keeper.state.since;
  bench.clock.correctWallClock(50 * 365 * 24 * hourMs);
  const { since } = bench.keeper.state;
  expect(Date.parse(since) - Date.parse(before)).toBe(50 * 365 * 24 * hourMs);
  await bench.clock.advance(60_000);
  expect(bench.keeper.state.since).toBe(since);
});

const usb = (port: string) => ({ port, id: '1234:0001', serial: null });

function planAt(port: string): CapturePlan {
  // It opens, and gives no sound.
  const probe = 'audiotestsrc is-live=true ! valve drop=true ! appsink name=sound';
  const withoutMicrophone = { description: 'with silence', probe, card: { number: 1, usb: usb(port) } };
  return { ...planOf('camera', 'with a microphone'), withoutMicrophone };
}

describe('a camera that takes its microphone along', () => {
  /** What names its loss is the first word; it is back a second later, and gives a picture. */
  async function losses(first: CaptureFailure, isSeenGone: boolean): Promise<number> {
    const bench = new Bench();
    bench.failure = null;
    void bench.keeper.run(planAt('1-1'), []);
    bench.givePicture();
    for (let pull = 0; pull < 6; pull++) {
      await bench.clock.advance(40_000);
      bench.node = isSeenGone ? null : 'first';
      bench.fail(first);
      if (bench.started.at(-1) === 'with silence') bench.fail(error);
      bench.node = 'first';
      await bench.clock.advance(1000);
      bench.givePicture();
    }
    expect(bench.keeper.state.kind).toBe('running');
    return bench.keeper.losses;
  }

  it.each([
    ['the camera', error, true],
    ['the microphone, and its node is gone', ofMicrophone, true],
    ['the microphone, and its node is not gone yet', ofMicrophone, false],
  ])('is lost once for each time it is pulled out, where the first to say so is %s', async (_, first, isSeenGone) => {
    expect(await losses(first, isSeenGone)).toBe(6);
  });

  it('is not lost where only the microphone is', async () => {
    const bench = new Bench();
    bench.failure = null;
    void bench.keeper.run(planAt('1-1'), []);
    bench.givePicture();
    await bench.clock.advance(40_000);
    bench.fail(ofMicrophone);
    bench.givePicture();
    await bench.clock.advance(40_000);
    expect(bench.keeper.state).toMatchObject({ kind: 'running', microphoneFault: 'it is not there any more' });
    expect(bench.keeper.losses).toBe(0);
  });
});

describe('a lost microphone', () => {
  const isBusy: CaptureFailure = { ...ofMicrophone, reason: 'microphone: it is busy' };
  /** What GStreamer makes of it is sound. */
  const soundingAt = (port: string, description = 'with a microphone'): CapturePlan => ({
    ...planAt(port),
    description,
    withoutMicrophone: {
      ...planAt(port).withoutMicrophone,
      description: 'with silence',
      probe: `audiotestsrc name=${port} ! appsink name=sound`,
    },
  });

  /** The picture goes on without it. */
  async function firstListenedAfterMs(bench: Bench): Promise<number> {
    bench.givePicture();
    const beganMs = bench.clock.monotonicMs();
    const asks = bench.asksMs.length;
    await bench.clock.advance(120_000);
    return (bench.asksMs[asks] ?? Number.POSITIVE_INFINITY) - beganMs;
  }

  async function listen(bench: Bench, afterMs: number): Promise<void> {
    await bench.clock.advance(afterMs);
    // A try whose pull comes before its sink has started hears nothing.
    const isBack = () => bench.started.at(-1) === 'with a microphone';
    await until('the microphone to be back', 10_000, () => isBack() || bench.clock.advance(1000).then(isBack), 1);
  }

  /** Each time it is heard for five seconds only. */
  async function comeAndGo(bench: Bench, times: number): Promise<void> {
    bench.failure = null;
    void bench.keeper.run(soundingAt('1-1'), []);
    for (let time = 0; time < times; time++) {
      bench.givePicture();
      await bench.clock.advance(5000);
      bench.fail(ofMicrophone);
      if (time === times - 1) return;
      bench.givePicture();
      await listen(bench, Math.min(1000 * 2 ** time, 60_000));
    }
  }

  it('is listened for with patience where it comes and goes', async () => {
    const bench = new Bench();
    await comeAndGo(bench, 9);
    expect(await firstListenedAfterMs(bench)).toBe(60_000);
  });

  it('is listened for soon where it was heard for long after it came and went', async () => {
    const bench = new Bench();
    await comeAndGo(bench, 9);
    bench.givePicture();
    await listen(bench, 60_000);
    bench.givePicture();
    await bench.clock.advance(40_000);
    bench.fail(error);
    bench.portOfCard = '1-2';
    await bench.clock.advance(1000);
    expect(bench.started.at(-1)).toBe('with silence');
    expect(await firstListenedAfterMs(bench)).toBeLessThanOrEqual(1000);
  });

  it('is listened for soon where another is planned for that is away', async () => {
    const bench = new Bench();
    await comeAndGo(bench, 9);
    bench.givePicture();
    void bench.keeper.run(soundingAt('1-2', 'with another microphone'), []);
    expect(bench.started.at(-1)).toBe('with silence');
    expect(await firstListenedAfterMs(bench)).toBeLessThanOrEqual(1000);
  });

  it('is listened for soon where the capture was started without it again and again', async () => {
    const bench = new Bench();
    bench.failure = null;
    for (let time = 0; time < 9; time++) {
      await bench.clock.advance(60_000);
      void bench.keeper.run(planAt('1-2'), []);
      bench.givePicture();
    }
    expect(bench.started.at(-1)).toBe('with silence');
    expect(await firstListenedAfterMs(bench)).toBeLessThanOrEqual(1000);
  });

  it('is listened for soon where it was refused at each start of the camera', async () => {
    const bench = new Bench();
    bench.failure = null;
    void bench.keeper.run(planAt('1-1'), []);
    for (let time = 0; time < 9; time++) {
      bench.fail(isBusy);
      bench.givePicture();
      await bench.clock.advance(40_000);
      bench.fail(error);
      await bench.clock.advance(1000);
    }
    expect(bench.started.at(-1)).toBe('with a microphone');
    bench.fail(isBusy);
    expect(await firstListenedAfterMs(bench)).toBeLessThanOrEqual(1000);
  });
});

describe('a microphone whose number another one has', () => {
  it('is not opened: the picture is on air with silence', async () => {
    const bench = new Bench();
    bench.failure = null;
    bench.portOfCard = '1-2';
    void bench.keeper.run(planAt('1-1'), []);
    expect(bench.started).toEqual(['with silence']);
    bench.portOfCard = '1-1';
    void bench.keeper.restart();
    expect(bench.started).toEqual(['with silence', 'with a microphone']);
  });

  it('is opened once it is planned for by that number', async () => {
    const bench = new Bench();
    bench.failure = null;
    bench.portOfCard = '1-2';
    void bench.keeper.run(planAt('1-1'), []);
    void bench.keeper.run(planAt('1-2'), []);
    expect(bench.started).toEqual(['with silence', 'with a microphone']);
  });
});
