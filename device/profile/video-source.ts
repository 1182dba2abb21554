/** Which picture is meant by AV_VIDEO_SOURCE on this hardware. Pure. */
import type { CameraFact, DetectedHardware } from '#device/detect/facts.ts';
import type { ResolvedSetting } from '#device/settings/levels.ts';

export type VideoChoice =
  | { readonly kind: 'camera'; readonly camera: CameraFact }
  | { readonly kind: 'test' }
  /** A GStreamer source in words of the device's own environment. */
  | { readonly kind: 'element'; readonly description: string }
  | { readonly kind: 'missing'; readonly reason: string };

const shownCameras = 8;

export function chooseVideo(setting: ResolvedSetting, hardware: DetectedHardware): VideoChoice {
  const wanted = typeof setting.value === 'string' ? setting.value.trim() : '';
  if (wanted === '') {
    const first = hardware.cameras[0];
    return first === undefined ? { kind: 'test' } : { kind: 'camera', camera: first };
  }
  if (wanted === 'test') return { kind: 'test' };
  const camera = hardware.cameras.find(
    ({ id, path, links }) => id === wanted || (path !== '' && path === wanted) || links.includes(wanted),
  );
  if (camera !== undefined) return { kind: 'camera', camera };
  if (setting.level === 'environment' && startsWithElement(wanted, hardware.elements)) return { kind: 'element', description: wanted };
  return { kind: 'missing', reason: whyMissing(wanted, hardware) };
}

function startsWithElement(text: string, elements: ReadonlySet<string>): boolean {
  const name = /^[a-z][a-z0-9_-]*(?=[ !]|$)/.exec(text)?.[0];
  return name !== undefined && elements.has(name);
}

function whyMissing(wanted: string, hardware: DetectedHardware): string {
  const came = wanted.length > 60 ? `${wanted.slice(0, 60)}…` : wanted;
  if (wanted.startsWith('file:')) return `expected a camera or test, came "${came}": files cannot be streamed`;
  const known = hardware.cameras.slice(0, shownCameras).map((camera) => camera.id);
  const expected = known.length === 0 ? 'test, because no camera was found' : `test or one of ${known.join(', ')}`;
  return `no camera "${came}": expected ${expected}`;
}
