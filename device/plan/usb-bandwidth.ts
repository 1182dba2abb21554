/** What a USB bus leaves to a camera that sends pictures as they are. Pure. */
import type { CameraFact } from '#device/detect/facts.ts';

/**
 * USB 2.0: one isochronous endpoint moves at most 3 x 1024 bytes in each of 8000 microframes (section 5.6.3), and all of them
 * together 80 % of the bus (section 5.6.4). Full speed: 1023 bytes in each of 1000 frames. USB 3: 5 Gbit/s less coding and 20 %.
 */
const highSpeed = { endpointMbps: 196, busMbps: 384 };
const fullSpeedMbps = 8;
const superSpeedMbps = 3200;

/** Mbit/s; null where the speed is not known, or the camera is not on USB. */
export function usbBudgetMbps(camera: CameraFact, cameras: readonly CameraFact[]): number | null {
  const speedMbps = camera.usb?.speedMbps;
  if (camera.usb === null || speedMbps === null || speedMbps === undefined) return null;
  if (speedMbps < 480) return fullSpeedMbps;
  const bus = busOf(camera);
  // One device of each is enough: two cameras in one device share its endpoint's place as well.
  const sharing = Math.max(1, cameras.filter((other) => busOf(other) === bus).length);
  if (speedMbps === 480) return Math.min(highSpeed.endpointMbps, Math.floor(highSpeed.busMbps / sharing));
  return Math.floor(superSpeedMbps / sharing);
}

function busOf(camera: CameraFact): string | null {
  return camera.usb?.port.split('-')[0] ?? null;
}
