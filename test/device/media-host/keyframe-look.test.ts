/** A camera that encodes by itself, in a real media host: what is seen of it, and that nothing about the looking harms the stream. */
import { expect, test } from 'vitest';
import { jpegSize } from '#device/commands/still-picture.ts';
import { contentConditions, nothingWatched, watchContent } from '#device/health/content-watch.ts';
import * as capture from '#device/plan/capture.ts';
import { planKeyframeLook } from '#device/plan/keyframe-look.ts';
import type { KeyframeLookPlan, LiveProperty, PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { until } from '../../until.ts';
import { type SupervisedHost, startHost } from '../media/supervised-host.ts';
import { previewPlan, testPlan } from '../media/test-plan.ts';

const picture = { width: 640, height: 360, framesPerSecond: 15 };
/** In the place of `v4l2src ! video/x-h264`. The profile is one of which openh264dec holds back each picture until the next. */
const camera = [
  `videotestsrc name=scene is-live=true pattern=smpte75 ! ${capture.rawCaps(picture)} ! videobalance name=light`,
  'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=8 bitrate=500 ! video/x-h264,profile=high',
].join(' ! ');

/** Bars that move by so many pixels a frame, in such light: 0 as they are, -1 without any. */
function scene(speed: number, brightness = 0): readonly LiveProperty[] {
  return [
    { element: 'scene', property: 'horizontal-speed', value: speed },
    { element: 'light', property: 'brightness', value: brightness },
  ];
}

function planWith(keyframeLook: KeyframeLookPlan | null, live: readonly LiveProperty[]): PipelinePlan {
  const plan = testPlan({ picture, description: `${capture.muxer(new Set())} ${camera} ! h264parse ! queue ! mux.` });
  const look = keyframeLook === null ? {} : { keyframeLook };
  const preview = keyframeLook === null || keyframeLook.previewIntervalS === 0 ? {} : { preview: previewPlan(picture) };
  return {
    ...plan,
    ...preview,
    live: [...live],
    capture: { ...plan.capture, ...look, hasAudio: false, framesPerSecond: picture.framesPerSecond },
  };
}

const look = planKeyframeLook({ previewIntervalS: 1, size: picture, isWatched: true }, new Set());

function conditionsOf(host: SupervisedHost): string[] {
  const figures = host.supervisor.status()?.figures ?? null;
  return contentConditions(watchContent(nothingWatched, figures, 0)).map(({ code }) => code);
}

test('previews come; black and frozen come and go', { timeout: 30_000 }, async () => {
  const host = await startHost();
  const show = (speed: number, brightness = 0) => host.supervisor.apply(planWith(look, scene(speed, brightness)));
  const seen = (what: string, isSo: (codes: readonly string[]) => boolean) =>
    until(what, 15_000, () => host.supervisor.status()?.figures?.picture !== undefined && isSo(conditionsOf(host)));
  expect(await show(4)).toEqual({ kind: 'applied' });
  await seen('a picture that is well', (codes) => codes.length === 0);
  expect(host.supervisor.status()?.figures?.picture?.lumaMax).toBeGreaterThan(150);
  const jpeg = await until('a preview', 10_000, () => host.previews[0]);
  expect(jpegSize(jpeg)).toEqual({ width: 640, height: 360 });
  expect(host.outputOf('preview')).toMatchObject({ kind: 'streaming' });
  await show(4, -1);
  await seen('a black picture', (codes) => codes.includes('picture-black'));
  await show(0);
  await seen('a frozen picture', (codes) => codes.join() === 'picture-frozen');
  await show(4);
  await seen('a picture that is well again', (codes) => codes.length === 0);
  // All of it on the wire at once: one capture, never begun anew.
  expect(host.status().captureLosses).toBe(0);
});

test('a look that fails, or cannot be made, is nothing to the stream', { timeout: 30_000 }, async () => {
  const host = await startHost();
  const start = 'appsrc name=keyframes caps=video/x-flv ! flvdemux ! h264parse';
  for (const [index, [description, error]] of (
    [
      [`${start} ! identity error-after=1 ! appsink name=luma`, /^the camera’s own H\.264 cannot be decoded: identity/],
      [`${start} ! no-such-element ! appsink name=luma`, /^the camera’s own H\.264 cannot be decoded: no element "no-such-element"/],
    ] as const
  ).entries()) {
    const plan = planWith({ description, previewIntervalS: 1, isWatched: true }, scene(2 + index));
    expect(await host.supervisor.apply(plan)).toEqual({ kind: 'applied' });
    const before = host.status().framesTotal;
    await until('a second of frames more', 10_000, () => host.status().framesTotal > before + 16);
    expect(host.status().media.kind).toBe('running');
    expect(host.status().figures?.picture).toBeUndefined();
    await until('the output of the previews to say why', 10_000, () => {
      const state = host.outputOf('preview');
      return state?.kind === 'waiting' && error.test(state.lastError);
    });
  }
  expect(host.status().captureLosses).toBe(0);
});
