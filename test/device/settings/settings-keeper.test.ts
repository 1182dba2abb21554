import { expect, test } from 'vitest';
import type { ApplyOutcome } from '#device/media/media-host-supervisor.ts';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import type { Switched } from '#device/schedule/outlet-switch.ts';
import { type Moment, streamBasis, unknownOutlets } from '#device/schedule/outlets.ts';
import type { Machine } from '#device/settings/prepare.ts';
import { SettingsKeeper } from '#device/settings/settings-keeper.ts';
import type { Applied } from '#protocol/messages.ts';
import { desired, machineWith, webcam } from '../bare-machine.ts';
import { manualClock, settle } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from '../uplink/memory-state.ts';

/** A media host that runs every plan at once, unless it is told otherwise. */
class FakeMedia {
  readonly plans: PipelinePlan[] = [];
  outcome: (plan: PipelinePlan) => Promise<ApplyOutcome> = async () => ({ kind: 'applied' });

  apply(plan: PipelinePlan): Promise<ApplyOutcome> {
    this.plans.push(plan);
    return this.outcome(plan);
  }

  widths(): number[] {
    return this.plans.map(({ capture }) => capture.width);
  }
}

type Options = { state?: MemoryState; machine?: Machine; startMs?: number; moment?: () => Moment; streamSwitch?: () => Switched | null };

async function startedKeeper(options: Options = {}) {
  const clock = manualClock(options.startMs);
  const media = new FakeMedia();
  const state = options.state ?? new MemoryState();
  const answers: Applied[] = [];
  const records: string[] = [];
  const log = quietLog();
  const keeper = new SettingsKeeper(options.machine ?? machineWith(), {
    media,
    state,
    clock,
    random: () => 0,
    moment: options.moment ?? (() => null),
    streamSwitch: options.streamSwitch ?? (() => null),
    log,
    record: (kind) => records.push(kind),
    onAnswer: (applied) => answers.push(applied),
    onChange: () => undefined,
  });
  await keeper.start('pi-1');
  keeper.reconcile();
  await settle();
  return { keeper, clock, media, state, answers, records, log };
}

const hangs = () => new Promise<ApplyOutcome>(() => undefined);

/** What is asked for is under way until the function that it gives back is called. */
function hold(media: FakeMedia): () => void {
  let end: (outcome: ApplyOutcome) => void = () => undefined;
  const held = new Promise<ApplyOutcome>((resolve) => {
    end = resolve;
  });
  media.outcome = () => held;
  return () => {
    media.outcome = async () => ({ kind: 'applied' });
    end({ kind: 'applied' });
  };
}

test('applied: run first, kept, then answered', async () => {
  const { keeper, media, state, answers, records } = await startedKeeper();
  keeper.offer(desired(1, { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360 }));
  expect(answers).toEqual([]);
  await settle();
  expect(media.widths()).toEqual([1280, 640]);
  expect(answers).toEqual([{ revision: 1, outcome: 'applied', refusals: [], inForceRevision: 1 }]);
  expect(JSON.parse(state.files.get('settings.json') ?? '')).toMatchObject({ deviceId: 'pi-1', inForce: { revision: 1 } });
  expect(records).toEqual(['settings-applied']);
  expect(keeper.inForce()).toEqual({ revision: 1, digest: 'a'.repeat(64) });
});

test('refused: the stream is not touched, the last good settings stay', async () => {
  const { keeper, media, answers } = await startedKeeper();
  keeper.offer(desired(1, { AV_VIDEO_WIDTH: 640 }));
  await settle();
  keeper.offer(desired(2, { AV_VIDEO_SOURCE: '/dev/video7' }));
  await settle();
  expect(media.plans).toHaveLength(2);
  expect(answers.at(-1)).toMatchObject({ revision: 2, outcome: 'refused', inForceRevision: 1, refusals: [{ key: 'AV_VIDEO_SOURCE' }] });
  expect(keeper.complaints()).toMatchObject([{ key: 'AV_VIDEO_SOURCE' }]);
  keeper.offer(desired(3, { AV_VIDEO_WIDTH: 800 }));
  await settle();
  expect(keeper.complaints()).toEqual([]);
});

test('rolled back: what does not run is taken back, with the keys that were changed', async () => {
  const { keeper, media, answers, records } = await startedKeeper();
  media.outcome = async ({ capture }) => (capture.width === 640 ? { kind: 'failed', reason: 'not negotiated' } : { kind: 'applied' });
  keeper.offer(desired(1, { AV_VIDEO_WIDTH: 640 }));
  await settle();
  expect(media.widths()).toEqual([1280, 640, 1280]);
  expect(answers).toMatchObject([{ revision: 1, outcome: 'rolled-back', inForceRevision: 0 }]);
  expect(answers[0]?.refusals.find(({ key }) => key === 'AV_VIDEO_WIDTH')?.reason).toBe('does not run: not negotiated');
  expect(records).toEqual(['settings-rolled-back']);
});

test('no picture within 20 s is a failure', async () => {
  const { keeper, clock, media, answers } = await startedKeeper();
  media.outcome = ({ capture }) => (capture.width === 640 ? hangs() : Promise.resolve({ kind: 'applied' }));
  keeper.offer(desired(1, { AV_VIDEO_WIDTH: 640 }));
  await clock.advance(19_900);
  expect(answers).toEqual([]);
  await clock.advance(200);
  expect(answers).toMatchObject([{ outcome: 'rolled-back' }]);
  expect(media.widths()).toEqual([1280, 640, 1280]);
});

test('superseded: the newest of those that came in the meantime is tried when the present one ended', async () => {
  const { keeper, clock, media, answers } = await startedKeeper();
  media.outcome = ({ capture }) => (capture.width === 640 ? hangs() : Promise.resolve({ kind: 'applied' }));
  keeper.offer(desired(1, { AV_VIDEO_WIDTH: 640 }));
  await settle();
  for (const revision of [2, 3, 4]) keeper.offer(desired(revision, { AV_VIDEO_WIDTH: 800 + revision }));
  await clock.advance(21_000);
  expect(media.widths()).toEqual([1280, 640, 1280, 804]);
  expect(answers.map(({ revision, outcome }) => [revision, outcome])).toEqual([
    [1, 'rolled-back'],
    [4, 'applied'],
  ]);
});

test('after a restart the last good settings run from the first moment, without any network', async () => {
  const first = await startedKeeper();
  first.keeper.offer(desired(5, { AV_VIDEO_WIDTH: 640 }));
  await settle();
  const second = await startedKeeper({ state: first.state, startMs: 0 });
  expect(second.media.widths()).toEqual([640]);
  expect(second.keeper.inForce().revision).toBe(5);
  // The clock of a Pi without network says 1970: order is the revision's number.
  second.keeper.offer(desired(4, { AV_VIDEO_WIDTH: 320 }));
  second.keeper.offer(desired(6, { AV_VIDEO_WIDTH: 800 }));
  await settle();
  expect(second.media.widths()).toEqual([640, 800]);
});

test('a damaged last-good file: its copy counts, also at the next start', async () => {
  const first = await startedKeeper();
  first.keeper.offer(desired(5, { AV_VIDEO_WIDTH: 640 }));
  await settle();
  first.state.files.set('settings.json', '{"inForce":{"revision":"x"}}');
  for (const _ of ['once', 'again']) {
    const { media, keeper } = await startedKeeper({ state: first.state });
    expect(media.widths()).toEqual([640]);
    expect(keeper.inForce().revision).toBe(5);
    first.state.files.delete('settings.json');
  }
});

test('a damaged last-good file without a copy: the environment’s settings run', async () => {
  const state = new MemoryState();
  state.files.set('settings.json', '{"inForce":{"revision":"x"}}');
  const { media, keeper } = await startedKeeper({ state });
  expect(media.widths()).toEqual([1280]);
  expect(keeper.inForce()).toEqual({ revision: 0, digest: null });
});

test('settings of another device, or of the time in another fleet, are not taken up', async () => {
  const first = await startedKeeper();
  first.keeper.offer(desired(5, { AV_VIDEO_WIDTH: 640 }));
  await settle();
  const elsewhere = (first.state.files.get('settings.json') ?? '').replace('"pi-1"', '"pi-2"');
  first.state.files.set('settings.json', elsewhere);
  const second = await startedKeeper({ state: first.state });
  expect(second.keeper.inForce().revision).toBe(0);
});

test('a disk that refuses is said; the settings are in force all the same', async () => {
  const { keeper, state, answers, records } = await startedKeeper();
  state.failure = Object.assign(new Error('no'), { code: 'ENOSPC' });
  keeper.offer(desired(1));
  await settle();
  expect(answers).toMatchObject([{ outcome: 'applied' }]);
  expect(records).toEqual(['settings-not-kept', 'settings-applied']);
});

test('what a disk refused is written again, and said once: a power cut brings back nothing older', async () => {
  const { keeper, clock, state, records } = await startedKeeper();
  state.failure = Object.assign(new Error('no'), { code: 'EROFS' });
  keeper.offer(desired(3));
  await clock.advance(12_000);
  state.failure = null;
  await clock.advance(5000);
  expect(records).toEqual(['settings-not-kept', 'settings-applied']);
  const second = await startedKeeper({ state });
  expect(second.keeper.inForce().revision).toBe(3);
});

test('last good settings that do not fit the hardware at the start: on air without them, and said so', async () => {
  const first = await startedKeeper({ machine: machineWith({ cameras: [webcam] }) });
  first.keeper.offer(desired(1, { AV_VIDEO_SOURCE: webcam.id, AV_VIDEO_WIDTH: 640 }));
  await settle();
  const second = await startedKeeper({ state: first.state });
  expect(second.media.plans[0]?.capture).toMatchObject({ source: { kind: 'no-signal' }, width: 640 });
  expect(second.keeper.complaints()).toMatchObject([{ key: 'AV_VIDEO_SOURCE' }]);
  second.keeper.setMachine(machineWith({ cameras: [webcam] }));
  await settle();
  expect(second.media.plans[1]?.capture.source.kind).toBe('camera');
  expect(second.keeper.complaints()).toEqual([]);
});

test('a camera that was refused for want of it is taken when it is plugged in', async () => {
  const { keeper, answers } = await startedKeeper();
  keeper.offer(desired(1, { AV_VIDEO_SOURCE: webcam.id }));
  await settle();
  keeper.setMachine(machineWith({ cameras: [webcam] }));
  await settle();
  expect(answers.map(({ outcome }) => outcome)).toEqual(['refused', 'applied']);
});

test('a camera that is missing for settings that had to wait for others is taken when it is plugged in', async () => {
  const { keeper, media, answers } = await startedKeeper();
  let runs: (outcome: ApplyOutcome) => void = () => undefined;
  const first = new Promise<ApplyOutcome>((resolve) => {
    runs = resolve;
  });
  media.outcome = () => first;
  keeper.offer(desired(1, { AV_VIDEO_WIDTH: 640 }));
  await settle();
  keeper.offer(desired(2, { AV_VIDEO_SOURCE: webcam.id }));
  runs({ kind: 'applied' });
  await settle();
  // Comes late, and says nothing of the newest.
  keeper.offer(desired(1, { AV_VIDEO_WIDTH: 640 }));
  keeper.setMachine(machineWith({ cameras: [webcam] }));
  await settle();
  expect(answers.map(({ revision, outcome }) => [revision, outcome])).toEqual([
    [1, 'applied'],
    [2, 'refused'],
    [1, 'applied'],
    [2, 'applied'],
  ]);
});

test('what comes beside a stream that runs well can be chosen, and changes nothing before', async () => {
  const { keeper, media, answers } = await startedKeeper({ machine: machineWith({ cameras: [webcam] }) });
  const other = { ...webcam, id: 'usb-1-2-webcam', path: '/dev/video4' };
  keeper.setMachineBeside(machineWith({ cameras: [other, webcam] }));
  keeper.reconcile();
  await settle();
  expect(media.plans).toHaveLength(1);
  keeper.offer(desired(1, { AV_VIDEO_SOURCE: other.id }));
  await settle();
  expect(answers.map(({ outcome }) => outcome)).toEqual(['applied']);
  expect(media.plans.at(-1)?.capture.devicePath).toBe('/dev/video4');
  keeper.reconcile();
  await settle();
  expect(media.plans).toHaveLength(2);
});

test('a camera that was refused for want of it is taken also when it is plugged in beside another', async () => {
  const { keeper, answers } = await startedKeeper({ machine: machineWith({ cameras: [{ ...webcam, id: 'usb-other' }] }) });
  keeper.offer(desired(1, { AV_VIDEO_SOURCE: webcam.id }));
  await settle();
  keeper.setMachineBeside(machineWith({ cameras: [webcam, { ...webcam, id: 'usb-other' }] }));
  await settle();
  expect(answers.map(({ outcome }) => outcome)).toEqual(['refused', 'applied']);
});

test('a stream that is stopped while other settings wait for their turn is off the air with them', async () => {
  let switched: Switched | null = null;
  const { keeper, media } = await startedKeeper({ streamSwitch: () => switched });
  keeper.offer(desired(1));
  await settle();
  const goOn = hold(media);
  keeper.setMachine(machineWith({ cameras: [webcam] }));
  await settle();
  keeper.reconcile();
  keeper.offer(desired(2, { AV_VIDEO_WIDTH: 640 }));
  switched = { isOn: false, basis: streamBasis(keeper.prepared().settings) };
  keeper.reconcile();
  goOn();
  await settle();
  expect(keeper.inForce().revision).toBe(2);
  expect(keeper.prepared().isStreamSwitchedOn).toBe(false);
  expect(media.plans.at(-1)).toMatchObject({ capture: { width: 640 }, outputs: [] });
});

test('a camera that is plugged in while settings wait for their turn is taken with them', async () => {
  const { keeper, media } = await startedKeeper();
  const goOn = hold(media);
  keeper.setMachine(machineWith({ environment: { AV_VIDEO_FRAMERATE: 25 } }));
  await settle();
  keeper.reconcile();
  keeper.offer(desired(1, { AV_VIDEO_WIDTH: 640 }));
  keeper.setMachine(machineWith({ cameras: [webcam] }));
  goOn();
  await settle();
  expect(media.plans.at(-1)?.capture).toMatchObject({ source: { kind: 'camera' }, width: 640 });
});

test('what does not run is tried again with back-off, for ever', async () => {
  const { keeper, clock, media } = await startedKeeper();
  media.outcome = async () => ({ kind: 'failed', reason: 'camera busy' });
  keeper.setMachine(machineWith({ environment: { AV_VIDEO_WIDTH: 640 } }));
  await clock.advance(100_000);
  const tries = media.plans.length - 1;
  expect(tries).toBeGreaterThanOrEqual(5);
  expect(tries).toBeLessThanOrEqual(8);
  media.outcome = async () => ({ kind: 'applied' });
  await clock.advance(31_000);
  expect(media.plans).toHaveLength(tries + 2);
  await clock.advance(300_000);
  expect(media.plans).toHaveLength(tries + 2);
  expect(clock.waitingTimers()).toBe(0);
});

test('the same plan is not applied twice', async () => {
  const { keeper, media } = await startedKeeper();
  keeper.reconcile();
  keeper.setMachine(machineWith());
  await settle();
  expect(media.plans).toHaveLength(1);
});

test('a stop ends all tries', async () => {
  const { keeper, clock, media } = await startedKeeper();
  media.outcome = async () => ({ kind: 'failed', reason: 'busy' });
  keeper.setMachine(machineWith({ environment: { AV_VIDEO_WIDTH: 640 } }));
  await settle();
  keeper.stop();
  keeper.stop();
  keeper.offer(desired(9));
  await clock.advance(100_000);
  expect(media.plans).toHaveLength(2);
  expect(clock.waitingTimers()).toBe(0);
});

test('no stream key in any line of the log', async () => {
  const { keeper, media, log } = await startedKeeper();
  media.outcome = async ({ capture }) => (capture.width === 640 ? { kind: 'failed', reason: 'not negotiated' } : { kind: 'applied' });
  keeper.offer(desired(1, { AV_STREAM_KEY: 'my-own-secret-key' }));
  await settle();
  keeper.offer(desired(2, { AV_VIDEO_WIDTH: 640, AV_STREAM_KEY: 'another-secret-key' }));
  keeper.offer(desired(3, { AV_STREAM_KEY: 'bad secret-key!' }));
  await settle();
  expect(log.lines.length).toBeGreaterThan(2);
  expect(log.lines.join('\n')).not.toMatch(/secret-key/);
});

test('outside its hours a device captures and publishes nowhere; what is in force does not change', async () => {
  let nowMs = Date.parse('2026-11-21T12:00:00Z');
  const moment = () => ({ nowMs, held: unknownOutlets, isTimeKnown: true, ownZone: null });
  const { keeper, media, answers } = await startedKeeper({ moment });
  keeper.offer(desired(1, { AV_STREAM_SCHEDULE: '13:00-14:00', AV_TIME_ZONE: 'UTC' }));
  await settle();
  expect(answers).toMatchObject([{ outcome: 'applied' }]);
  expect(media.plans.at(-1)?.outputs).toEqual([]);
  nowMs = Date.parse('2026-11-21T13:00:00Z');
  keeper.reconcile();
  await settle();
  expect(media.plans.at(-1)?.outputs).toMatchObject([{ kind: 'rtmp' }]);
  nowMs = Date.parse('2026-11-21T14:00:00Z');
  keeper.reconcile();
  await settle();
  expect(media.plans.at(-1)?.outputs).toEqual([]);
  expect(keeper.inForce().revision).toBe(1);
  expect(answers).toHaveLength(1);
});
