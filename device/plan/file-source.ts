/** What the media host has to know of a video file that plays as if it were a camera. Pure. */
import type { FilePlan } from '#device/plan/pipeline-plan.ts';

/** Any of these decodes the pictures; which one it is, GStreamer decides. */
const decoders: Readonly<Record<string, readonly string[]>> = {
  'video/x-h264': ['openh264dec', 'avdec_h264', 'v4l2h264dec', 'v4l2slh264dec', 'vah264dec', 'vaapih264dec'],
  'video/x-h265': ['libde265dec', 'avdec_h265', 'v4l2h265dec', 'v4l2slh265dec', 'vah265dec', 'vaapih265dec'],
  'video/x-vp8': ['vp8dec', 'avdec_vp8'],
  'video/x-vp9': ['vp9dec', 'avdec_vp9'],
  'video/x-av1': ['av1dec', 'dav1ddec'],
  'video/x-theora': ['theoradec'],
  'image/jpeg': ['jpegdec'],
};

/** Where GStreamer's tools told of no element at all, every one is assumed. */
export function decodablePictures(elements: ReadonlySet<string>): string[] {
  return Object.entries(decoders)
    .filter(([, names]) => elements.size === 0 || names.some((name) => elements.has(name)))
    .map(([type]) => type);
}

/** `soundRateHz`: null where the sound of the stream is not the file's own. */
export function planFile(
  { path, within }: { readonly path: string; readonly within: string | null },
  elements: ReadonlySet<string>,
  soundRateHz: number | null,
): FilePlan {
  return { path, within, pictures: decodablePictures(elements), soundRateHz };
}
