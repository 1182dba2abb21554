import { expect, test } from 'vitest';
import { planKeyframeLook } from '#device/plan/keyframe-look.ts';

const all = { previewIntervalS: 5, size: { width: 640, height: 360 }, isWatched: true };
const keyframes = (decoder: string) =>
  `appsrc name=keyframes caps=video/x-flv max-bytes=0 ! flvdemux ! h264parse ! queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 ! ${decoder} ! tee name=raw`;
const preview =
  'raw. ! valve name=preview-valve ! videoscale ! videoconvert ! video/x-raw,format=I420,width=640,height=360,pixel-aspect-ratio=1/1 ! capssetter join=false replace=true caps=application/x-picture ! appsink name=preview-pictures sync=false async=false max-buffers=1 drop=true';
const luma =
  'raw. ! videoscale method=nearest-neighbour add-borders=false ! videoconvert ! video/x-raw,format=GRAY8,width=64,height=36 ! capssetter join=false replace=true caps=application/x-luma ! appsink name=luma sync=false async=false max-buffers=1 drop=true';

test.each([
  ['everything there is', [], all, `${keyframes('openh264dec')} ${preview} ${luma}`],
  ['no previews are wanted', [], { ...all, previewIntervalS: 0 }, `${keyframes('openh264dec')} ${luma}`],
  ['slides are not watched', [], { ...all, isWatched: false }, `${keyframes('openh264dec')} ${preview}`],
  [
    'a board with FFmpeg’s decoder',
    ['v4l2h264dec', 'avdec_h264', 'capssetter'],
    all,
    `${keyframes('avdec_h264 max-threads=1')} ${preview} ${luma}`,
  ],
  ['a board with its own decoder alone', ['v4l2h264dec', 'capssetter'], all, `${keyframes('v4l2h264dec')} ${preview} ${luma}`],
  ['a board without a decoder', ['x264enc'], all, null],
])('%s', (_what, elements, wish, description) => {
  const { size: _, ...told } = wish;
  expect(planKeyframeLook(wish, new Set(elements))).toEqual({ ...told, description });
});

test('nobody looks: there is nothing to plan', () => {
  expect(planKeyframeLook({ ...all, previewIntervalS: 0, isWatched: false }, new Set())).toBeNull();
});
