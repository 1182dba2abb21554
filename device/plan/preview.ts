/**
 * The pictures for the dashboard. The capture, or what looks at a camera's own H.264, gives small raw pictures; a pipeline of their own makes
 * JPEG of them, so that an encoder which fails is nothing to the capture. Pure.
 */
import { bareCaps, besideTags, oneWaits, rawTee } from '#device/plan/capture.ts';
import type { PreviewPlan } from '#device/plan/pipeline-plan.ts';

export type PreviewSize = { readonly width: number; readonly height: number };

const sidePixels = 640;
const quality = 70;

export const noJpegEncoderWords = 'GStreamer has no JPEG encoder here: install gstreamer1.0-plugins-good (jpegenc)';
export const undecodedWords =
  'the camera encodes by itself, and GStreamer has no H.264 decoder here: install gstreamer1.0-plugins-bad (openh264dec)';

/** At most 640 pixels a side. */
export function previewSize({ width, height }: PreviewSize): PreviewSize {
  const scale = Math.min(1, sidePixels / Math.max(width, height));
  const even = (side: number) => Math.max(16, Math.round((side * scale) / 2) * 2);
  return { width: even(width), height: even(height) };
}

/**
 * Raw pictures, the first at once. The rate is cut before anything else, so that the frames between two pictures cost nothing; the
 * queue holds one and throws the older away.
 */
export function previewBranch(size: PreviewSize, intervalS: number, elements: ReadonlySet<string>): string {
  const rate = `videorate drop-only=true ! video/x-raw,framerate=1/${intervalS}`;
  return `${rawTee}. ! ${rate} ! ${oneWaits} ! ${previewPictures(size, elements)}`;
}

/** From raw pictures to small ones. */
export function previewPictures({ width, height }: PreviewSize, elements: ReadonlySet<string>): string {
  return [
    `videoscale ! videoconvert ! video/x-raw,format=I420,width=${width},height=${height},pixel-aspect-ratio=1/1`,
    ...bare('application/x-picture', elements),
    `appsink name=preview-pictures ${besideTags} max-buffers=1 drop=true`,
  ].join(' ! ');
}

export type PreviewWish = {
  readonly intervalS: number;
  readonly size: PreviewSize;
  readonly elements: ReadonlySet<string>;
  /** The camera's own H.264 is sent, and nothing here decodes it. */
  readonly isUndecoded: boolean;
};

export function planPreview({ intervalS, size, elements, isUndecoded }: PreviewWish): PreviewPlan {
  const hasEncoder = canEncodePreviews(elements);
  const { width, height } = size;
  const description = [
    `appsrc name=pictures format=time is-live=true do-timestamp=true max-bytes=0 caps=video/x-raw,format=I420,width=${width},height=${height},framerate=0/1`,
    `jpegenc quality=${quality}`,
    ...bare('image/jpeg', elements),
    'appsink name=preview sync=false max-buffers=1 drop=true',
  ].join(' ! ');
  return {
    id: 'preview',
    kind: 'preview',
    target: 'pictures for the dashboard',
    intervalS,
    encoder: hasEncoder ? { description, pictureBytes: bytesOf(size) } : null,
    missing: hasEncoder ? (isUndecoded ? undecodedWords : null) : noJpegEncoderWords,
  };
}

/** Where GStreamer's tools told of no element at all, every one is assumed. */
export function canEncodePreviews(elements: ReadonlySet<string>): boolean {
  return elements.size === 0 || elements.has('jpegenc');
}

function bare(caps: string, elements: ReadonlySet<string>): readonly string[] {
  return elements.size === 0 || elements.has('capssetter') ? [bareCaps(caps)] : [];
}

/** Of I420, as GStreamer lays it out: each line of each plane begins at a multiple of four. */
function bytesOf({ width, height }: PreviewSize): number {
  const lineBytes = (pixels: number) => Math.ceil(pixels / 4) * 4;
  return lineBytes(width) * height + lineBytes(width / 2) * height;
}
