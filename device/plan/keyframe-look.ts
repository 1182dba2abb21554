/**
 * A look at the picture of a camera that encodes by itself: its keyframes alone are decoded, about one a second, in a pipeline beside
 * the capture. What is wrong with that one is nothing to the stream. Pure.
 */
import { oneWaits, probePictures, rawTee } from '#device/plan/capture.ts';
import type { KeyframeLookPlan } from '#device/plan/pipeline-plan.ts';
import { type PreviewSize, previewPictures } from '#device/plan/preview.ts';

/**
 * By software first: the hardware's decoders want more than one picture. `avdec_h264` with several threads would hold back one
 * picture for each of them.
 */
const decoders = ['openh264dec', 'avdec_h264', 'v4l2h264dec'] as const;
const decoderWords: Readonly<Record<(typeof decoders)[number], string>> = {
  openh264dec: 'openh264dec',
  avdec_h264: 'avdec_h264 max-threads=1',
  v4l2h264dec: 'v4l2h264dec',
};

export const noDecoderWords = 'not looked at: GStreamer has no H.264 decoder here';

export type LookWish = {
  /** 0: no previews. */
  readonly previewIntervalS: number;
  readonly size: PreviewSize;
  /** Somebody is to be told of a black or frozen picture. */
  readonly isWatched: boolean;
};

/** Where GStreamer's tools told of no element at all, every one is assumed. Null: the board has no decoder for it. */
function keyframeDecoder(elements: ReadonlySet<string>): string | null {
  const name = decoders.find((decoder) => elements.size === 0 || elements.has(decoder));
  return name === undefined ? null : decoderWords[name];
}

/** Null where nobody wants to look. */
export function planKeyframeLook({ size, ...wish }: LookWish, elements: ReadonlySet<string>): KeyframeLookPlan | null {
  const decoder = keyframeDecoder(elements);
  const lookers = [
    ...(wish.previewIntervalS === 0 ? [] : [`${rawTee}. ! valve name=preview-valve ! ${previewPictures(size, elements)}`]),
    ...(wish.isWatched ? [`${rawTee}. ! ${probePictures()}`] : []),
  ];
  if (lookers.length === 0) return null;
  const start = `appsrc name=keyframes caps=video/x-flv max-bytes=0 ! flvdemux ! h264parse ! ${oneWaits} ! ${decoder} ! tee name=${rawTee}`;
  return { ...wish, description: decoder === null ? null : [start, ...lookers].join(' ') };
}
