import { describe, expect, test } from 'vitest';
import type { JpegHandlers } from '#device/media-host/jpeg-encoder.ts';
import { captureStillWords, PreviewOutput } from '#device/media-host/preview-output.ts';
import { TagBus } from '#device/media-host/tag-bus.ts';
import type { PreviewPlan } from '#device/plan/pipeline-plan.ts';
import { manualClock } from '../manual-clock.ts';
import { previewPlan } from '../media/test-plan.ts';
import { makeTag } from './tags.ts';

const size = { width: 320, height: 180 };
const plan: PreviewPlan = { ...previewPlan(size), intervalS: 5 };
const picture = Buffer.alloc((320 * 180 * 3) / 2);
const jpeg = Buffer.alloc(20_000);

/** An output beside a capture that gives a keyframe each two seconds while it runs; the encoder does as it is told. */
class Scene {
  readonly clock = manualClock();
  readonly bus = new TagBus();
  readonly previews: Buffer[] = [];
  readonly events: string[] = [];
  readonly output: PreviewOutput;
  isCaptureUp = true;
  givesPictures = true;
  encodes: Buffer | 'nothing' | 'error' = jpeg;
  starts = 0;
  states = 0;
  #handlers: JpegHandlers | null = null;

  constructor(changes: Partial<PreviewPlan> = {}, encoderMissing: string | null = null) {
    this.output = new PreviewOutput({
      plan: { ...plan, ...changes },
      bus: this.bus,
      clock: this.clock,
      random: () => 0,
      onState: () => {
        this.states += 1;
      },
      onEvent: (event, detail) => this.events.push(`${event} ${detail}`),
      onPreview: (made) => this.previews.push(made),
      acquireEncoder: () => {
        if (encoderMissing !== null) throw new Error(encoderMissing);
        return {
          start: (handlers) => {
            this.#handlers = handlers;
            this.starts += 1;
          },
          stop: () => {
            this.#handlers = null;
          },
          push: () => this.#encode(),
        };
      },
    });
    this.bus.startCapture();
  }

  get state() {
    return this.output.status().state;
  }

  async run(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await this.clock.advance(1000);
      const at = this.clock.monotonicMs() / 1000;
      if (this.isCaptureUp) this.bus.publish(makeTag(at % 2 === 0 ? 'keyframe' : 'frame', at * 1000));
      if (this.isCaptureUp && this.givesPictures && at % 5 === 0) this.output.onPicture(picture);
      this.output.advance();
    }
  }

  async runUntil(kind: string, boundS: number): Promise<void> {
    for (let second = 0; second < boundS && this.state.kind !== kind; second += 1) await this.run(1);
    expect(this.state.kind).toBe(kind);
  }

  #encode(): void {
    if (this.encodes === 'error') this.#handlers?.onFailed('the JPEG encoder failed: jpegenc: it broke');
    else if (this.encodes !== 'nothing') this.#handlers?.onJpeg(this.encodes);
  }
}

function started(changes: Partial<PreviewPlan> = {}): Scene {
  const scene = new Scene(changes);
  scene.output.start();
  return scene;
}

describe('an output of previews', () => {
  test('streams from the first picture on, and is nothing in the history', async () => {
    const scene = started();
    expect(scene.state).toEqual({ kind: 'connecting', attempt: 1 });
    await scene.run(3);
    expect(scene.state.kind).toBe('connecting');
    await scene.run(60);
    expect(scene.output.status()).toMatchObject({ id: 'preview', kind: 'preview', connections: 1, bytesSent: 12 * jpeg.length });
    expect(scene.state).toMatchObject({ kind: 'streaming', since: '2026-11-21T12:00:04.000Z' });
    expect(scene.previews).toHaveLength(12);
    expect(scene.events).toEqual([]);
    expect(scene.starts).toBe(1);
  });

  test('a capture that gives frames and no picture: silent after three intervals, and well with the next picture', async () => {
    const scene = started();
    await scene.run(10);
    scene.givesPictures = false;
    await scene.run(12);
    expect(scene.state.kind).toBe('streaming');
    await scene.runUntil('waiting', 4);
    const lastError = 'the capture gives frames, and no picture for previews, for 15 s';
    expect(scene.state).toMatchObject({ kind: 'waiting', attempt: 2, nextTryAt: expect.any(String), lastError });
    expect(scene.events).toEqual([`output-lost pictures for the dashboard: ${lastError}`]);
    await scene.runUntil('connecting', 4);
    expect(scene.state).toEqual({ kind: 'connecting', attempt: 2, lastError });
    await scene.run(200);
    expect(scene.events).toHaveLength(1);
    scene.givesPictures = true;
    await scene.run(5);
    expect(scene.state.kind).toBe('streaming');
    expect(scene.events.at(-1)).toMatch(/^output-streaming pictures for the dashboard: after \d+ attempts$/);
  });

  test('a capture that stands still is told of, and not in the history of this output', async () => {
    const scene = started();
    await scene.run(10);
    scene.isCaptureUp = false;
    await scene.runUntil('waiting', 16);
    expect(scene.state).toMatchObject({ lastError: captureStillWords });
    scene.isCaptureUp = true;
    scene.bus.startCapture();
    await scene.run(5);
    expect(scene.state.kind).toBe('streaming');
    expect(scene.events).toEqual([]);
  });

  test('keyframes far apart are no silence', async () => {
    const scene = started();
    await scene.run(10);
    for (let minute = 0; minute < 5; minute += 1) {
      scene.bus.publish(makeTag('keyframe'));
      for (let second = 0; second < 20; second += 1) {
        await scene.clock.advance(1000);
        scene.bus.publish(makeTag('frame'));
        scene.output.advance();
      }
      expect(scene.state.kind).toBe('streaming');
      scene.output.onPicture(picture);
    }
  });

  test('an encoder that fails is tried again, each time later, at most once a minute', async () => {
    const scene = started();
    scene.encodes = 'error';
    await scene.run(4);
    const lastError = 'the JPEG encoder failed: jpegenc: it broke';
    expect(scene.state).toEqual({ kind: 'waiting', attempt: 2, nextTryAt: '2026-11-21T12:00:06.000Z', lastError });
    await scene.run(600);
    expect(scene.starts).toBeLessThan(16);
    expect(scene.starts).toBeGreaterThan(10);
    expect(scene.events).toEqual([`output-refused pictures for the dashboard: ${lastError}`]);
    scene.encodes = jpeg;
    await scene.run(70);
    expect(scene.state.kind).toBe('streaming');
  });

  test('an encoder that takes pictures and gives none is started again', async () => {
    const scene = started();
    scene.encodes = 'nothing';
    await scene.runUntil('waiting', 20);
    expect(scene.state).toMatchObject({ lastError: expect.stringMatching(/^the JPEG encoder gives nothing, for \d+ s$/) });
    scene.encodes = jpeg;
    await scene.run(10);
    expect(scene.state.kind).toBe('streaming');
    expect(scene.starts).toBe(2);
  });

  test('an encoder that cannot be made says why', () => {
    const scene = new Scene({}, 'no element "jpegenc"');
    scene.output.start();
    expect(scene.state).toMatchObject({ kind: 'waiting', attempt: 2, lastError: 'no element "jpegenc"' });
  });

  test('what decodes the keyframes has a back-off of its own, which is told', async () => {
    const scene = started();
    scene.givesPictures = false;
    scene.output.onPictureFault('it cannot be decoded', 30_000);
    expect(scene.state).toEqual({ kind: 'waiting', attempt: 2, nextTryAt: '2026-11-21T12:00:30.000Z', lastError: 'it cannot be decoded' });
    scene.givesPictures = true;
    await scene.run(5);
    expect(scene.state.kind).toBe('streaming');
  });

  test('another capture is tried at once: what looked at the former one may have been at fault', () => {
    const scene = started();
    scene.output.onPictureFault('it cannot be decoded', 30_000);
    scene.bus.startCapture();
    scene.output.onPictureFault('nor can this one', 30_000);
    expect(scene.state).toMatchObject({ kind: 'waiting', attempt: 3, lastError: 'nor can this one' });
  });

  test.each([
    ['no encoder', { encoder: null, missing: 'no JPEG encoder' }],
    ['no decoder for the camera', { missing: 'no decoder' }],
  ])('%s: it is stopped, and says why', async (_what, changes) => {
    const scene = started(changes);
    scene.givesPictures = false;
    await scene.run(100);
    expect(scene.state).toEqual({ kind: 'stopped', lastError: changes.missing });
    expect(scene.states).toBe(0);
  });

  test('the card in the place of a camera that nothing decodes is shown, and not missed afterwards', async () => {
    const scene = started({ missing: 'no decoder' });
    await scene.run(10);
    expect(scene.state.kind).toBe('streaming');
    scene.givesPictures = false;
    await scene.run(20);
    expect(scene.state).toEqual({ kind: 'stopped', lastError: 'no decoder' });
    expect(scene.events).toEqual([]);
  });

  test('a picture of another size belongs to the capture before; one that is too large is not sent', async () => {
    const scene = started();
    scene.output.onPicture(Buffer.alloc(100));
    expect(scene.previews).toHaveLength(0);
    scene.encodes = Buffer.alloc(256 * 1024 + 1);
    scene.output.onPicture(picture);
    expect(scene.state).toMatchObject({ kind: 'waiting', lastError: 'a picture has 257 KiB, expected at most 256' });
    expect(scene.previews).toHaveLength(0);
  });

  test('stopped is stopped', async () => {
    const scene = started();
    await scene.run(10);
    scene.output.stop();
    scene.output.stop();
    await scene.run(30);
    expect(scene.state).toEqual({ kind: 'stopped' });
    expect(scene.previews).toHaveLength(2);
    expect(scene.clock.waitingTimers()).toBe(0);
  });
});
