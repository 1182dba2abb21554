/** What was there and is not at present. Pure. */
import type { DetectedHardware } from '#device/detect/facts.ts';

/**
 * What shall be planned for: without any camera, those that were there last, with their own microphones. So the plan of a camera
 * that was pulled out stays as it is: the media host shows its card and has the camera back by itself.
 */
export function withLostCameras(found: DetectedHardware, seen: DetectedHardware | null): DetectedHardware {
  if (found.cameras.length > 0 || seen === null) return found;
  const isOfCamera = (cameraId: string | null) => cameraId !== null && seen.cameras.some(({ id }) => id === cameraId);
  const microphones = [
    // One that is still there belongs to its camera, though nothing tells of that at present.
    ...found.microphones.map((microphone) => seen.microphones.find(({ id }) => id === microphone.id) ?? microphone),
    ...seen.microphones.filter(({ id, cameraId }) => isOfCamera(cameraId) && !found.microphones.some((there) => there.id === id)),
  ];
  return { ...found, cameras: seen.cameras, microphones };
}
