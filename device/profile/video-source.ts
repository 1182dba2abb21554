/** Which picture is meant by AV_VIDEO_SOURCE on this hardware. Pure. */
import type { CameraFact, DetectedHardware } from '#device/detect/facts.ts';
import { usbNameAnywhere } from '#device/detect/usb.ts';
import type { ResolvedSetting } from '#device/settings/levels.ts';

export type VideoChoice =
  | { readonly kind: 'camera'; readonly camera: CameraFact }
  | { readonly kind: 'test' }
  /** A GStreamer source in words of the device's own environment. */
  | { readonly kind: 'element'; readonly description: string }
  | { readonly kind: 'missing'; readonly reason: string };

const shownCameras = 8;
const linksById = '/dev/v4l/by-id/';

export function chooseVideo(setting: ResolvedSetting, hardware: DetectedHardware): VideoChoice {
  const wanted = typeof setting.value === 'string' ? setting.value.trim() : '';
  if (wanted === '') {
    const first = hardware.cameras[0];
    return first === undefined ? { kind: 'test' } : { kind: 'camera', camera: first };
  }
  if (wanted === 'test') return { kind: 'test' };
  const camera = findCamera(wanted, hardware.cameras);
  if (camera !== undefined) return { kind: 'camera', camera };
  if (setting.level === 'environment' && startsWithElement(wanted, hardware.elements)) return { kind: 'element', description: wanted };
  return { kind: 'missing', reason: whyMissing(wanted, hardware) };
}

function findCamera(wanted: string, cameras: readonly CameraFact[]): CameraFact | undefined {
  const named = cameras.find(({ id, path }) => id === wanted || (path !== '' && path === wanted));
  if (named !== undefined) return named;
  const linked = cameras.find(({ links }) => links.includes(wanted));
  // A link by id leads to the last of several that cannot be told apart: the first by its socket is the same one each time.
  if (linked !== undefined) return wanted.startsWith(linksById) ? cameras.find((camera) => isTwin(camera, linked)) : linked;
  return findMoved(wanted, cameras);
}

function isTwin(left: CameraFact, right: CameraFact): boolean {
  return left === right || (left.usb !== null && left.usb.id === right.usb?.id && left.usb.serial === right.usb.serial);
}

/** A camera that has been plugged into another socket since it was chosen, if its serial number tells that it is the one. */
function findMoved(wanted: string, cameras: readonly CameraFact[]): CameraFact | undefined {
  const candidates = cameras.filter(({ usb }) => {
    const anywhere = usb === null ? null : usbNameAnywhere(usb);
    return anywhere !== null && wanted.startsWith(anywhere);
  });
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Where GStreamer's tools told of no element at all, none can be named. */
export function startsWithElement(text: string, elements: ReadonlySet<string>): boolean {
  const name = /^[a-z][a-z0-9_-]*(?=[ !]|$)/.exec(text)?.[0];
  return name !== undefined && elements.has(name);
}

function whyMissing(wanted: string, hardware: DetectedHardware): string {
  const first = firstWord(wanted);
  const came = first.length > 60 ? `${first.slice(0, 60)}…` : first;
  if (wanted.startsWith('file:')) return `expected a camera or test, came "${came}": files cannot be streamed`;
  const known = hardware.cameras.slice(0, shownCameras).map((camera) => camera.id);
  const expected = known.length === 0 ? 'test, because no camera was found' : `test or one of ${known.join(', ')}`;
  return `no camera "${came}": expected ${expected}`;
}

/** Of a source of GStreamer's only which it is: what follows may be an address with a password. */
export function firstWord(source: string): string {
  const [word = '', ...rest] = source.trim().split(/[ !]+/);
  return rest.length === 0 ? word : `${word} …`;
}
