/** Which picture is meant by AV_VIDEO_SOURCE on this hardware. Pure. */
import type { CameraFact, DetectedHardware } from '#device/detect/facts.ts';
import { isTwin } from '#device/detect/place.ts';
import { findMoved } from '#device/detect/usb.ts';
import { fileElements } from '#device/plan/capture.ts';
import type { ResolvedSetting } from '#device/settings/levels.ts';
import type { SettingLevel } from '#protocol/settings.ts';

export type VideoChoice =
  | { readonly kind: 'camera'; readonly camera: CameraFact }
  | { readonly kind: 'test' }
  /** A video file that plays in a loop. `within`: the folder that it must not leave; null: it may lie anywhere. */
  | { readonly kind: 'file'; readonly path: string; readonly within: string | null }
  /** A GStreamer source in words of the device's own environment. */
  | { readonly kind: 'element'; readonly description: string }
  | { readonly kind: 'missing'; readonly reason: string };

const shownCameras = 8;
const filePrefix = 'file:';
const remoteLevels: readonly SettingLevel[] = ['fleet', 'group', 'device'];
const linksById = '/dev/v4l/by-id/';

export function chooseVideo(setting: ResolvedSetting, hardware: DetectedHardware): VideoChoice {
  const wanted = wantedSource(setting);
  const holder = hardware.place?.wanted === wanted ? hardware.cameras.find(({ id }) => id === hardware.place?.cameraId) : undefined;
  if (holder !== undefined) return { kind: 'camera', camera: holder };
  if (wanted === '') {
    const first = hardware.cameras[0];
    return first === undefined ? { kind: 'test' } : { kind: 'camera', camera: first };
  }
  if (wanted === 'test') return { kind: 'test' };
  if (wanted.startsWith(filePrefix)) return chooseFile(wanted.slice(filePrefix.length), setting, hardware);
  const camera = findCamera(wanted, hardware);
  if (camera !== undefined) return { kind: 'camera', camera };
  if (setting.level === 'environment' && startsWithElement(wanted, hardware.elements)) return { kind: 'element', description: wanted };
  return { kind: 'missing', reason: whyMissing(wanted, hardware) };
}

/**
 * A name without a slash at its beginning is one in the media folder. Whoever chooses from afar gets no other folder; where links
 * lead is looked at when the file is opened.
 */
function chooseFile(named: string, { level }: ResolvedSetting, { mediaDirectory, elements }: DetectedHardware): VideoChoice {
  const missing = (reason: string): VideoChoice => ({ kind: 'missing', reason });
  if (named === '' || named.includes('\0')) return missing('expected a path behind "file:"');
  const lacking = elements.size === 0 ? undefined : fileElements.find((name) => !elements.has(name));
  if (lacking !== undefined) return missing(`a file cannot be played, because this GStreamer has no ${lacking}`);
  const isAbsolute = named.startsWith('/');
  if (mediaDirectory === undefined && !isAbsolute) return missing('expected a whole path behind "file:", from / on');
  const path = isAbsolute ? named : `${mediaDirectory}/${named}`;
  if (!remoteLevels.includes(level)) return { kind: 'file', path, within: null };
  const isInside = mediaDirectory !== undefined && path.startsWith(`${mediaDirectory}/`) && !path.split('/').includes('..');
  if (!isInside) return missing(`expected the name of a file in ${mediaDirectory ?? 'the media folder'}: no other can be chosen from afar`);
  return { kind: 'file', path, within: mediaDirectory };
}

/** Empty: nothing is chosen. */
export function wantedSource({ value }: ResolvedSetting): string {
  return typeof value === 'string' ? value.trim() : '';
}

/** The name of a camera, as far as can be seen, be it there or not. Null: words of GStreamer's, an address, a file, nothing. */
export function cameraNameIn(setting: ResolvedSetting): string | null {
  const wanted = wantedSource(setting);
  const isName = /^[^\s!"=]{1,200}$/.test(wanted) && wanted !== 'test' && !wanted.startsWith('file:') && !wanted.includes('://');
  return isName ? wanted : null;
}

function findCamera(wanted: string, { cameras, sharedNames }: DetectedHardware): CameraFact | undefined {
  const named = cameras.find(({ id, path }) => id === wanted || (path !== '' && path === wanted));
  if (named !== undefined) return named;
  const linked = cameras.find(({ links }) => links.includes(wanted));
  // A link by id leads to the last of several that cannot be told apart: the first by its socket is the same one each time.
  if (linked !== undefined) return (wanted.startsWith(linksById) ? cameras.find((camera) => isTwin(camera, linked)) : undefined) ?? linked;
  return findMoved(wanted, cameras, sharedNames);
}

/** Where GStreamer's tools told of no element at all, none can be named. */
export function startsWithElement(text: string, elements: ReadonlySet<string>): boolean {
  const name = /^[a-z][a-z0-9_-]*(?=[ !]|$)/.exec(text)?.[0];
  return name !== undefined && elements.has(name);
}

function whyMissing(wanted: string, hardware: DetectedHardware): string {
  const first = firstWord(wanted);
  const came = first.length > 60 ? `${first.slice(0, 60)}…` : first;
  const known = hardware.cameras.slice(0, shownCameras).map((camera) => camera.id);
  const expected = known.length === 0 ? 'test, because no camera was found' : `test or one of ${known.join(', ')}`;
  return `no camera "${came}": expected ${expected}`;
}

/** Of a source of GStreamer's only which it is: what follows may be an address with a password. */
export function firstWord(source: string): string {
  const [word = '', ...rest] = source.trim().split(/[ !]+/);
  return rest.length === 0 ? word : `${word} …`;
}
