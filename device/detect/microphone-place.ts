/** Which microphone is heard, and what it means that it is gone: the rule of cameras (place.ts). Pure. */
import type { DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { bystandersOf, findHolder, isTwin, type LookTime, type Place } from '#device/detect/place.ts';

export type MicrophonePlace = Place<MicrophoneFact> & {
  /** The camera that was on air with it; null: none was. */
  readonly besideCamera: string | null;
};

export type MicrophoneLook = {
  readonly heard: NonNullable<DetectedHardware['heard']>;
  readonly place: MicrophonePlace;
  readonly newcomerSinceMs: number | null;
};

export function lookForMicrophone(
  there: readonly MicrophoneFact[],
  place: MicrophonePlace,
  time: LookTime,
  sharedNames: readonly string[] = [],
): MicrophoneLook {
  // One device may have several inputs, and a camera that is plugged in is not plugged in for its microphone.
  const candidates = there.filter(
    (one) => one.device === place.holder.device && (one.id === place.holder.id || one.cameraId === null || isTwin(one, place.holder)),
  );
  const { holder, newcomers, newcomerSinceMs } = findHolder(candidates, place, time, sharedNames);
  const beside = holder === undefined ? there.filter((one) => !newcomers.includes(one)) : there;
  const now = {
    ...place,
    holder: holder ?? place.holder,
    isAway: holder === undefined,
    bystanders: bystandersOf(holder ?? place.holder, beside, place.bystanders),
  };
  const { wanted, besideCamera, isAway } = now;
  return { heard: { microphone: now.holder, wanted, besideCamera, isAway }, place: now, newcomerSinceMs };
}

/** `microphone` is planned for; `before` is who had the place until then. */
export function takeMicrophonePlace(
  now: { readonly wanted: string; readonly besideCamera: string | null; readonly microphone: MicrophoneFact },
  there: readonly MicrophoneFact[],
  before: MicrophonePlace | null,
): MicrophonePlace {
  const { wanted, besideCamera, microphone } = now;
  if (before?.isAway === true && before.holder.id === microphone.id) return { ...before, wanted, besideCamera };
  const isAway = !there.some(({ id }) => id === microphone.id);
  return { wanted, besideCamera, holder: microphone, isAway, bystanders: bystandersOf(microphone, there, before?.bystanders ?? []) };
}
