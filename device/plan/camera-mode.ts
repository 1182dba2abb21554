/**
 * Which of a camera's modes serves the wanted picture best, and why not the others. Pure.
 *
 * Order of what matters: the least loss against the wish, the least size too much, the least rate too much, the least work. A
 * camera's own H.264 can be neither scaled, thinned out nor turned: it counts where it is no larger than the wish.
 */
import type { CameraFact, VideoMode } from '#device/detect/facts.ts';
import { describePicture, isSameRate, lossOf, nearestWithin, type Picture, pixelsPerSecond } from '#device/plan/picture.ts';
import { usbBudgetMbps } from '#device/plan/usb-bandwidth.ts';
import type { BoardProfile, CameraProfile } from '#hardware-profiles/schema.ts';

export type CameraMode = Picture & {
  readonly encoding: 'h264' | 'mjpeg' | 'raw';
  /** GStreamer's name of a raw format; empty for the others. */
  readonly format: string;
};

export type Rejection = { readonly subject: string; readonly reason: string };

export type ModeChoice = {
  /** Null: no mode of the camera is known, or none can be read. */
  readonly mode: CameraMode | null;
  /** What comes out of it, before it is turned. */
  readonly given: Picture;
  readonly rejected: readonly Rejection[];
};

export type ModeWish = {
  readonly picture: Picture;
  readonly isTurned: boolean;
  readonly profile: CameraProfile | undefined;
  readonly board: BoardProfile;
  /** All that are plugged in: those on one bus share it. */
  readonly cameras: readonly CameraFact[];
  /** What the encoder carries; a camera's own H.264 does not pass through it. */
  readonly encoderPixelsPerSecond: number | undefined;
};

/** V4L2 four-character codes, GStreamer's names of the same raw formats and their bits a pixel. */
const rawFormats: Readonly<Record<string, readonly [string, number]>> = {
  YUYV: ['YUY2', 16],
  UYVY: ['UYVY', 16],
  YVYU: ['YVYU', 16],
  YU12: ['I420', 12],
  YV12: ['YV12', 12],
  NV12: ['NV12', 12],
  NV21: ['NV21', 12],
  NV16: ['NV16', 16],
  RGB3: ['RGB', 24],
  BGR3: ['BGR', 24],
  GREY: ['GRAY8', 8],
};

const encodingRank = { h264: 0, raw: 1, mjpeg: 2 } as const;
/** A camera may list hundreds of modes; so many are explained. */
const shownRejections = 64;

type Offer = { readonly mode: CameraMode; readonly pixelFormat: string; readonly bitsPerPixel: number };
type Candidate = Offer & { readonly given: Picture; readonly cost: readonly number[] };

export function chooseMode(camera: CameraFact, wish: ModeWish): ModeChoice {
  const offers = offersOf(camera, wish);
  const never = (offer: Offer) => whyNever(offer, camera, wish);
  const possible = offers.filter((offer) => never(offer) === null);
  const fast = possible.filter((offer) => whyTooMuch(offer, camera, wish) === null);
  // Where nothing keeps within the limits, what does not is still better than no picture.
  const ranked = (fast.length > 0 ? fast : possible)
    .map((offer) => rank(offer, wish))
    .sort((left, right) => compare(left.cost, right.cost));
  const best = ranked[0];
  const rejected = offers
    .filter((offer) => offer !== best && offer.mode !== best?.mode)
    .map((offer) => ({
      subject: describeMode(offer),
      reason: never(offer) ?? whyTooMuch(offer, camera, wish) ?? whyWorse(rank(offer, wish), best, wish),
    }))
    .slice(0, shownRejections);
  const given = best?.given ?? nearestWithin(wish.picture, wish.encoderPixelsPerSecond);
  return { mode: best?.mode ?? null, given, rejected: [...unreadable(camera), ...rejected] };
}

function rank(offer: Offer, wish: ModeWish): Candidate {
  const { mode } = offer;
  const given = mode.encoding === 'h264' ? wholeRate(mode) : nearestWithin(within(mode, wish.picture), wish.encoderPixelsPerSecond);
  const isRateRight = isSameRate(mode.framesPerSecond, wish.picture.framesPerSecond);
  // What a picture of another shape leaves empty is a loss, though the stream has the wished size.
  const seen = { ...given, ...(mode.encoding === 'h264' ? {} : shapeOf(mode, given)) };
  const cost = [lossOf(seen, wish.picture), mode.width * mode.height, isRateRight ? 0 : mode.framesPerSecond, encodingRank[mode.encoding]];
  return { ...offer, given, cost };
}

/** The wish where the mode reaches it on one side at least, else the whole mode: nothing is blown up, no picture sent twice. */
function within(mode: CameraMode, wish: Picture): Picture {
  const isLarge = mode.width >= wish.width || mode.height >= wish.height;
  // Encoders take even sides only; a camera with an odd one is scaled by a hair.
  const even = (side: number) => Math.max(2, Math.floor(side / 2) * 2);
  const { width, height } = isLarge ? wish : { width: even(mode.width), height: even(mode.height) };
  const isFast = mode.framesPerSecond >= wish.framesPerSecond || isSameRate(mode.framesPerSecond, wish.framesPerSecond);
  return { width, height, framesPerSecond: isFast ? wish.framesPerSecond : wholeRate(mode).framesPerSecond };
}

function wholeRate({ width, height, framesPerSecond }: Picture): Picture {
  const nearest = Math.round(framesPerSecond);
  return { width, height, framesPerSecond: Math.max(1, isSameRate(nearest, framesPerSecond) ? nearest : Math.floor(framesPerSecond)) };
}

/** The part of the given picture that the mode fills. */
function shapeOf(mode: CameraMode, given: Picture): Pick<Picture, 'width' | 'height'> {
  const scale = Math.min(given.width / mode.width, given.height / mode.height);
  return { width: mode.width * scale, height: mode.height * scale };
}

function offersOf(camera: CameraFact, wish: ModeWish): readonly Offer[] {
  const fromProfile = (wish.profile?.modes ?? []).map(
    ({ width, height, framesPerSecond }): VideoMode => ({
      pixelFormat: 'NV12',
      width,
      height,
      smallest: { width: 64, height: 64 },
      frameRates: [framesPerSecond],
    }),
  );
  // A sensor behind libcamera gives every rate up to its highest.
  const thinned = (rate: number) => (camera.kind === 'libcamera' ? Math.min(rate, wish.picture.framesPerSecond) : rate);
  const modes = camera.modes.length > 0 ? camera.modes : fromProfile;
  return modes.flatMap((mode) => {
    const kind = encodingOf(mode.pixelFormat);
    if (kind === null) return [];
    const { width, height } = sizeWithin(mode, wish.picture);
    const rates = mode.frameRates.length === 0 ? [wish.picture.framesPerSecond] : mode.frameRates;
    return rates.map((rate) => ({
      mode: { encoding: kind.encoding, format: kind.format, width, height, framesPerSecond: thinned(rate) },
      pixelFormat: mode.pixelFormat,
      bitsPerPixel: kind.bitsPerPixel,
    }));
  });
}

/** Of a range of sizes the wished one, or the largest of the wished shape, or what comes nearest to it. */
function sizeWithin(mode: VideoMode, wish: Picture): Pick<Picture, 'width' | 'height'> {
  const { smallest } = mode;
  if (smallest === undefined) return mode;
  const scale = Math.min(1, mode.width / wish.width, mode.height / wish.height);
  const side = (wished: number, least: number, most: number) => Math.min(Math.max(Math.floor((wished * scale) / 2) * 2, least), most);
  return { width: side(wish.width, smallest.width, mode.width), height: side(wish.height, smallest.height, mode.height) };
}

function encodingOf(pixelFormat: string): (Pick<CameraMode, 'encoding' | 'format'> & { readonly bitsPerPixel: number }) | null {
  if (pixelFormat === 'H264') return { encoding: 'h264', format: '', bitsPerPixel: 0 };
  if (pixelFormat === 'MJPG' || pixelFormat === 'JPEG') return { encoding: 'mjpeg', format: '', bitsPerPixel: 0 };
  const raw = rawFormats[pixelFormat];
  return raw === undefined ? null : { encoding: 'raw', format: raw[0], bitsPerPixel: raw[1] };
}

function whyNever({ mode, pixelFormat }: Offer, camera: CameraFact, { picture, isTurned, profile }: ModeWish): string | null {
  const quirks = profile?.quirks ?? [];
  const first = camera.modes[0]?.pixelFormat;
  if (quirks.includes('first-format-only') && pixelFormat !== first)
    return `this camera’s firmware is wrong about all formats but its first (${first})`;
  if (mode.encoding === 'mjpeg') return quirks.includes('ignore-mjpeg') ? 'this camera’s MJPEG is not used (quirk ignore-mjpeg)' : null;
  if (mode.encoding === 'raw') return null;
  if (quirks.includes('ignore-native-h264')) return 'this camera’s own H.264 is not used (quirk ignore-native-h264)';
  if (isTurned) return 'a camera’s own H.264 cannot be turned';
  const isFaster = mode.framesPerSecond > picture.framesPerSecond && !isSameRate(mode.framesPerSecond, picture.framesPerSecond);
  const isLarger = mode.width > picture.width || mode.height > picture.height;
  return isLarger || isFaster ? 'a camera’s own H.264 cannot be made smaller or slower' : null;
}

function whyTooMuch({ mode, bitsPerPixel }: Offer, camera: CameraFact, { board, cameras }: ModeWish): string | null {
  if (mode.encoding === 'mjpeg') {
    const most = board.maximumMjpegPixelsPerSecond;
    if (most === undefined || pixelsPerSecond(mode) <= most) return null;
    return `${board.title} decodes at most ${describeRate(most)} of MJPEG, this is ${describeRate(pixelsPerSecond(mode))}`;
  }
  const budgetMbps = mode.encoding === 'raw' ? usbBudgetMbps(camera, cameras) : null;
  const neededMbps = Math.round((pixelsPerSecond(mode) * bitsPerPixel) / 1e6);
  if (budgetMbps === null || neededMbps <= budgetMbps) return null;
  return `needs ${neededMbps} Mbit/s, and its USB bus leaves it ${budgetMbps}`;
}

function describeRate(pixels: number): string {
  return `${(pixels / 1e6).toFixed(1)} million pixels a second`;
}

function whyWorse({ given, cost }: Candidate, best: Candidate | undefined, { picture }: ModeWish): string {
  if (best === undefined) return 'it cannot be used';
  if ((cost[0] ?? 0) > (best.cost[0] ?? 0)) return `gives ${describePicture(given)} of the wished ${describePicture(picture)}`;
  if (cost[1] !== best.cost[1]) return 'larger than needed';
  if (cost[2] !== best.cost[2]) return 'faster than needed';
  return 'the same picture for more work';
}

function describeMode({ mode, pixelFormat }: Offer): string {
  return `${pixelFormat} ${describePicture(mode)}`;
}

/** Formats that nothing here reads, each once. */
function unreadable(camera: CameraFact): readonly Rejection[] {
  const formats = new Set(camera.modes.map(({ pixelFormat }) => pixelFormat).filter((pixelFormat) => encodingOf(pixelFormat) === null));
  return [...formats].slice(0, shownRejections).map((subject) => ({ subject, reason: 'a pixel format that is not read here' }));
}

function compare(left: readonly number[], right: readonly number[]): number {
  const at = left.findIndex((value, index) => value !== right[index]);
  return at === -1 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}
