/** Which of a camera's modes serves the wanted picture best. Pure. */
import type { CameraFact } from '#device/detect/facts.ts';
import type { CameraProfile } from '#hardware-profiles/schema.ts';

export type Picture = { readonly width: number; readonly height: number; readonly framesPerSecond: number };

export type CameraMode = {
  readonly encoding: 'h264' | 'mjpeg' | 'raw';
  /** GStreamer's name of a raw format; empty for the others. */
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
};

/** V4L2 four-character codes and GStreamer's names of the same raw formats. */
const rawFormats: Readonly<Record<string, string>> = {
  YUYV: 'YUY2',
  UYVY: 'UYVY',
  YVYU: 'YVYU',
  YU12: 'I420',
  YV12: 'YV12',
  NV12: 'NV12',
  NV21: 'NV21',
  NV16: 'NV16',
  RGB3: 'RGB',
  BGR3: 'BGR',
  GREY: 'GRAY8',
};

const encodingRank = { h264: 0, raw: 1, mjpeg: 2 } as const;

/**
 * Order of what matters: enough size, enough frames a second, the least size too much, the least rate too much, then the
 * least work. H.264 of the camera's own counts only when it fits exactly: it can be neither scaled nor thinned out.
 */
export function chooseMode(camera: CameraFact, wanted: Picture, profile: CameraProfile | undefined): CameraMode | null {
  const candidates = offers(camera, wanted).filter((mode) => isUsable(mode, wanted, profile));
  const ranked = candidates.map((mode) => ({ mode, cost: costOf(mode, wanted) }));
  ranked.sort((left, right) => compare(left.cost, right.cost));
  return ranked[0]?.mode ?? null;
}

function offers(camera: CameraFact, wanted: Picture): readonly CameraMode[] {
  return camera.modes.flatMap((mode) => {
    const kind = encodingOf(mode.pixelFormat);
    if (kind === null) return [];
    const within = (wish: number, least: number, most: number) => Math.min(Math.max(wish, least), most);
    const width = mode.smallest === undefined ? mode.width : within(wanted.width, mode.smallest.width, mode.width);
    const height = mode.smallest === undefined ? mode.height : within(wanted.height, mode.smallest.height, mode.height);
    const rates = mode.frameRates.length === 0 ? [wanted.framesPerSecond] : mode.frameRates;
    return rates.map((framesPerSecond) => ({ ...kind, width, height, framesPerSecond }));
  });
}

function encodingOf(pixelFormat: string): Pick<CameraMode, 'encoding' | 'format'> | null {
  if (pixelFormat === 'H264') return { encoding: 'h264', format: '' };
  if (pixelFormat === 'MJPG' || pixelFormat === 'JPEG') return { encoding: 'mjpeg', format: '' };
  const format = rawFormats[pixelFormat];
  return format === undefined ? null : { encoding: 'raw', format };
}

function isUsable(mode: CameraMode, wanted: Picture, profile: CameraProfile | undefined): boolean {
  const quirks = profile?.quirks ?? [];
  if (mode.encoding === 'mjpeg') return !quirks.includes('ignore-mjpeg');
  if (mode.encoding === 'raw') return true;
  const isExact = mode.width === wanted.width && mode.height === wanted.height && isSameRate(mode.framesPerSecond, wanted.framesPerSecond);
  return isExact && !quirks.includes('ignore-native-h264');
}

/** 29.97 frames a second serve a wish for 30. */
export function isSameRate(left: number, right: number): boolean {
  return Math.abs(left - right) < 0.05;
}

function costOf(mode: CameraMode, wanted: Picture): readonly number[] {
  const missingPixels = Math.max(0, wanted.width - mode.width) * wanted.height + Math.max(0, wanted.height - mode.height) * wanted.width;
  const isRateRight = isSameRate(mode.framesPerSecond, wanted.framesPerSecond);
  return [
    missingPixels,
    isRateRight ? 0 : Math.max(0, wanted.framesPerSecond - mode.framesPerSecond),
    mode.width * mode.height,
    isRateRight ? 0 : mode.framesPerSecond,
    encodingRank[mode.encoding],
  ];
}

function compare(left: readonly number[], right: readonly number[]): number {
  const at = left.findIndex((value, index) => value !== right[index]);
  return at === -1 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}
