/** Microphones: ALSA devices that can capture, each with the camera that it is built into, if any. */
import { parseAlsaCaptures, parseAlsaCards } from '#device/detect/alsa.ts';
import type { CameraFact, DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import type { DetectionTools } from '#device/detect/tools.ts';
import { hasCamera, readUsbIdentity, safeForId, usbName, withDistinctIds } from '#device/detect/usb.ts';

const maximumMicrophones = 32;

export type DetectedSound = Required<Pick<DetectedHardware, 'microphones' | 'playingCards'>>;

export async function detectSound(tools: DetectionTools, cameras: readonly CameraFact[]): Promise<DetectedSound> {
  const [cardsText, capturesText] = await Promise.all([tools.readFile('/proc/asound/cards'), tools.readFile('/proc/asound/pcm')]);
  const cards = parseAlsaCards(cardsText ?? '');
  const captures = parseAlsaCaptures(capturesText ?? '').slice(0, maximumMicrophones);
  const microphones = await Promise.all(
    captures.map(async ({ card: number, device, name }): Promise<MicrophoneFact> => {
      const card = cards.find((candidate) => candidate.number === number);
      const cardId = card?.id ?? String(number);
      const directory = await tools.realPath(`/sys/class/sound/card${number}/device`);
      const [usb, isOfCamera] = await Promise.all([readUsbIdentity(tools, directory), hasCamera(tools, directory)]);
      const place = usb === null ? safeForId(`card-${cardId}`) : usbName(usb);
      return {
        id: `${place}-audio-${device}`,
        name: card?.name ?? name,
        card: number,
        cardId,
        device,
        alsaDevice: `hw:${number},${device}`,
        usb,
        // By the socket: cards are numbered in the order of their coming.
        cameraId: usb === null ? null : (cameras.find((camera) => camera.usb?.port === usb.port)?.id ?? (isOfCamera ? usbName(usb) : null)),
      };
    }),
  );
  const playing = cards.filter(({ number }) => !captures.some(({ card }) => card === number));
  return {
    microphones: withDistinctIds(microphones.toSorted(byPlace)),
    playingCards: playing.slice(0, maximumMicrophones).map(({ name }) => name),
  };
}

/** As cameras are: which one is the first does not depend on the order of their coming. Sound cards of the board itself come last. */
function byPlace(left: MicrophoneFact, right: MicrophoneFact): number {
  const place = ({ usb, id }: MicrophoneFact) => `${usb === null ? 1 : 0} ${usb?.place ?? ''} ${id} ${usb?.speedMbps ?? 0}`;
  return place(left).localeCompare(place(right), 'en', { numeric: true });
}
