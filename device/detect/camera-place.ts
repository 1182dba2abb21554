/**
 * Which camera is on air, and what it means that it is gone. Pure.
 *
 * INVARIANT: a camera never goes on air because another one went away. The camera on air keeps its place while it is not there;
 * what was beside it stays beside it. Only a hand takes the place: with a setting, or by plugging a camera in that was not there.
 */
import type { CameraFact, DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { usbNameAnywhere } from '#device/detect/usb.ts';

export type CameraPlace = {
  /** AV_VIDEO_SOURCE when the camera took its place; empty: nothing was chosen, and it was the first. */
  readonly wanted: string;
  /** As it was seen last, with its own microphones. */
  readonly camera: CameraFact;
  readonly microphones: readonly MicrophoneFact[];
  /** At the last look. */
  readonly isAway: boolean;
  /** Ids of cameras that were seen beside it, the latest ones last. */
  readonly bystanders: readonly string[];
};

export const maximumBystanders = 64;

/**
 * What comes with the camera that was on air, on one hub that is put back for example, may come before it. Cameras on a hub are
 * made known one after the other, each within some 100 ms: for so long the place is kept for the one that had it.
 */
export const precedenceMs = 1000;

/** What shall be planned for, and what is known of the place from now on. */
export type Look = {
  readonly hardware: DetectedHardware;
  readonly place: CameraPlace | null;
  /** Since when a camera has been there that may take the place, `precedenceMs` later; null: none has. Monotonic. */
  readonly newcomerSinceMs: number | null;
};

/** Of a look: its moment, monotonic, and what the look before said. */
export type LookTime = { readonly nowMs: number; readonly newcomerSinceMs: number | null };

/**
 * A camera that is gone is planned for all the same, with its own microphones: the media host shows its card and has the camera
 * back by itself.
 */
export function lookAt(found: DetectedHardware, place: CameraPlace | null, time: LookTime): Look {
  if (place === null) return { hardware: found, place, newcomerSinceMs: null };
  const same = findSame(found.cameras, place);
  const newcomers = same === undefined ? findNewcomers(found.cameras, place) : [];
  const newcomerSinceMs = newcomers.length === 0 ? null : (time.newcomerSinceMs ?? time.nowMs);
  const isFree = newcomerSinceMs !== null && time.nowMs - newcomerSinceMs >= precedenceMs;
  const holder = same ?? (isFree ? newcomers[0] : undefined);
  if (holder !== undefined) {
    const hardware = { ...found, place: { wanted: place.wanted, cameraId: holder.id } };
    return { hardware, place: placeOf(place.wanted, holder, hardware, place.bystanders), newcomerSinceMs: null };
  }
  const beside = found.cameras.filter((camera) => !newcomers.includes(camera));
  const microphones = [
    // One that is still there belongs to its camera, though nothing tells of that at present.
    ...found.microphones.map((microphone) => place.microphones.find(({ id }) => id === microphone.id) ?? microphone),
    ...place.microphones.filter(({ id }) => !found.microphones.some((there) => there.id === id)),
  ];
  return {
    hardware: {
      ...found,
      cameras: [...found.cameras, place.camera],
      microphones,
      place: { wanted: place.wanted, cameraId: place.camera.id },
    },
    place: { ...place, isAway: true, bystanders: bystandersOf(place.camera, beside, place.bystanders) },
    newcomerSinceMs,
  };
}

/** `camera` is on air; `hardware` is what was planned for, `before` who had the place until then. */
export function takePlace(wanted: string, camera: CameraFact, hardware: DetectedHardware, before: CameraPlace | null): CameraPlace {
  // Away, and asked for by another name.
  if (before?.isAway === true && before.camera.id === camera.id) return { ...before, wanted };
  return placeOf(wanted, camera, hardware, before?.bystanders ?? []);
}

function placeOf(wanted: string, camera: CameraFact, hardware: DetectedHardware, before: readonly string[]): CameraPlace {
  const microphones = hardware.microphones.filter(({ cameraId }) => cameraId === camera.id);
  return { wanted, camera, microphones, isAway: false, bystanders: bystandersOf(camera, hardware.cameras, before) };
}

function bystandersOf(camera: CameraFact, there: readonly CameraFact[], before: readonly string[]): readonly string[] {
  const beside = new Set(before);
  for (const { id } of there) beside.add(id);
  beside.delete(camera.id);
  return [...beside].slice(-maximumBystanders);
}

/** The camera itself, also in another socket. */
function findSame(there: readonly CameraFact[], { camera }: CameraPlace): CameraFact | undefined {
  const same = there.find(({ id }) => id === camera.id);
  if (same !== undefined) return same;
  const moved = there.filter((candidate) => isSameAnywhere(candidate, camera));
  return moved.length === 1 ? moved[0] : undefined;
}

/** Those that were plugged in in its stead, or that it may be itself in another socket; the first takes the place. */
function findNewcomers(there: readonly CameraFact[], { wanted, camera, isAway, bystanders }: CameraPlace): readonly CameraFact[] {
  // What is there when it is first missed was there before it went.
  if (!isAway) return [];
  const came = there.filter(({ id }) => !bystanders.includes(id));
  const twins = came.filter((candidate) => isTwin(candidate, camera));
  if (twins.length === 1) return wanted === '' ? [...twins, ...came.filter((other) => !twins.includes(other))] : twins;
  return wanted === '' ? came : [];
}

/** Its serial number tells that it is the one. */
function isSameAnywhere(one: CameraFact, other: CameraFact): boolean {
  const [left, right] = [one, other].map(({ usb }) => (usb === null ? null : usbNameAnywhere(usb)));
  return left !== null && left !== undefined && left === right;
}

/** Of the same make: nothing but the socket tells one from the other. */
function isTwin(one: CameraFact, other: CameraFact): boolean {
  return one.usb !== null && one.usb.id === other.usb?.id && one.usb.serial === other.usb.serial;
}
