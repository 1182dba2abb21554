/**
 * Which camera is on air, and what it means that it is gone. Pure.
 *
 * INVARIANT: a camera never goes on air because another one went away. The camera on air keeps its place while it is not there;
 * what was beside it stays beside it. Only a hand takes the place: with a setting, or by plugging a camera in that was not there.
 */
import type { CameraFact, DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { bystandersOf, findHolder, type LookTime } from '#device/detect/place.ts';

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

/** What shall be planned for, and what is known of the place from now on. */
export type Look = {
  readonly hardware: DetectedHardware;
  readonly place: CameraPlace | null;
  /** Since when a camera has been there that may take the place, `precedenceMs` later; null: none has. Monotonic. */
  readonly newcomerSinceMs: number | null;
};

/**
 * A camera that is gone is planned for all the same, with its own microphones: the media host shows its card and has the camera
 * back by itself.
 */
export function lookAt(found: DetectedHardware, place: CameraPlace | null, time: LookTime): Look {
  if (place === null) return { hardware: found, place, newcomerSinceMs: null };
  const { holder, newcomers, newcomerSinceMs } = findHolder(found.cameras, { ...place, holder: place.camera }, time, found.sharedNames);
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
