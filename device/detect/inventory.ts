/** The facts in the form in which they travel. */
import type { DetectedHardware } from '#device/detect/facts.ts';
import type { ResolvedProfile } from '#device/profile/resolve.ts';
import type { Inventory } from '#protocol/messages.ts';

const labelLength = 200;
const listLength = 32;

function label(text: string): string {
  return text.slice(0, labelLength);
}

export function toInventory(hardware: DetectedHardware, profile: ResolvedProfile): Inventory {
  return {
    board: {
      id: profile.board.id,
      name: label(hardware.board.model ?? profile.board.title),
      architecture: label(hardware.board.architecture),
    },
    cameras: hardware.cameras.slice(0, listLength).map((camera) => ({
      id: label(camera.id),
      name: label(camera.name),
      driver: label(camera.driver),
      path: label(camera.path),
      ...(camera.usb === null ? {} : { usbId: camera.usb.id }),
      nativeH264: camera.modes.some((mode) => mode.pixelFormat === 'H264'),
    })),
    microphones: hardware.microphones.slice(0, listLength).map((microphone) => ({
      id: label(microphone.id),
      name: label(microphone.name),
      alsaDevice: label(microphone.alsaDevice),
    })),
    encoders: hardware.encoders.slice(0, listLength).map((encoder) => label(encoder.element)),
  };
}
