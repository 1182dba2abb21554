/** Which sound goes with the picture. Pure. */
import type { CameraFact, DetectedHardware, MicrophoneFact } from '#device/detect/facts.ts';
import { findMoved } from '#device/detect/usb.ts';
import type { ResolvedProfile } from '#device/profile/resolve.ts';
import type { VideoChoice } from '#device/profile/video-source.ts';
import type { ResolvedSetting, ResolvedSettings } from '#device/settings/levels.ts';

export type AudioChoice =
  | { readonly kind: 'off' }
  | { readonly kind: 'microphone'; readonly microphone: MicrophoneFact }
  /** With the test picture. */
  | { readonly kind: 'tone' }
  /** The video file's own. */
  | { readonly kind: 'file' }
  /** No microphone can be used: targets that demand audio get silence. */
  | { readonly kind: 'silence'; readonly reason: string }
  /** A GStreamer source in words of the device's own environment. */
  | { readonly kind: 'element'; readonly description: string }
  | { readonly kind: 'missing'; readonly reason: string };

const shownMicrophones = 8;

export function chooseAudio(
  settings: ResolvedSettings,
  hardware: DetectedHardware,
  profile: ResolvedProfile,
  video: VideoChoice,
): AudioChoice {
  if (settings.AV_DISABLE_AUDIO.value === true) return { kind: 'off' };
  const source = settings.AV_AUDIO_SRC;
  if (source.level === 'environment' && typeof source.value === 'string' && source.value.trim() !== '') {
    return { kind: 'element', description: source.value.trim() };
  }
  const wanted = wantedMicrophone(settings.AV_AUDIO_DEVICE);
  if (wanted !== '') {
    const { heard } = hardware;
    const choice = heard?.wanted === wanted ? onMicrophone(heard.microphone) : findMicrophone(wanted, hardware);
    return withAlsa(choice, hardware);
  }
  if (video.kind === 'file') return { kind: 'file' };
  if (video.kind === 'test' || video.kind === 'missing') return { kind: 'tone' };
  const microphone = microphoneBeside(video, hardware, profile);
  if (microphone === undefined) return { kind: 'silence', reason: describeNoMicrophone(hardware) };
  return withAlsa(onMicrophone(microphone), hardware);
}

/** Empty: nothing is chosen. */
export function wantedMicrophone({ value }: ResolvedSetting): string {
  return typeof value === 'string' ? value.trim() : '';
}

function onMicrophone(microphone: MicrophoneFact): AudioChoice {
  return { kind: 'microphone', microphone };
}

const shownCards = 4;

function describeNoMicrophone({ playingCards = [] }: DetectedHardware): string {
  if (playingCards.length === 0) return 'no microphone was found';
  return `no microphone was found; of the sound cards ${playingCards.slice(0, shownCards).join(', ')} none records`;
}

/** A pipeline with an element that is not there would not start at all. */
function withAlsa(choice: AudioChoice, { elements }: DetectedHardware): AudioChoice {
  if (choice.kind !== 'microphone' || elements.size === 0 || elements.has('alsasrc')) return choice;
  return { kind: 'silence', reason: 'a microphone is there, but GStreamer has no alsasrc: install gstreamer1.0-alsa' };
}

/**
 * The camera's own microphone, else the first one that belongs to no camera, else the first. None of them because the one that was
 * heard went away: that one is awaited.
 */
function microphoneBeside(video: VideoChoice, hardware: DetectedHardware, profile: ResolvedProfile): MicrophoneFact | undefined {
  const { microphones, heard } = hardware;
  const apart = microphones.find((microphone) => microphone.cameraId === null) ?? microphones[0];
  const camera = video.kind === 'camera' ? video.camera : null;
  const hasOwn = camera !== null && profile.cameras.get(camera.id)?.quirks.includes('no-microphone') !== true;
  const own = hasOwn ? microphones.find((microphone) => isBuiltInto(microphone, camera)) : undefined;
  if (heard?.wanted !== '' || !heard.isAway) return own ?? apart;
  // Another camera comes with its own, and does without that of the camera before.
  const isOfBefore = own !== undefined || heard.microphone.cameraId !== null;
  return heard.besideCamera !== (camera?.id ?? null) && isOfBefore ? (own ?? apart) : heard.microphone;
}

/** What should be known of a microphone that is used for want of a better one; null: nothing. */
export function describeBorrowed(microphone: MicrophoneFact, video: VideoChoice): string | null {
  if (microphone.cameraId === null || video.kind !== 'camera' || isBuiltInto(microphone, video.camera)) return null;
  return `it is built into another camera, ${microphone.cameraId}, and there is none beside`;
}

/** One USB device may hold two cameras, and its microphone belongs to both. */
function isBuiltInto(microphone: MicrophoneFact, camera: CameraFact): boolean {
  return microphone.cameraId === camera.id || (camera.usb !== null && microphone.usb?.port === camera.usb.port);
}

/** By card number ("1"), by ALSA's name ("hw:2,0", "plughw:CARD=C270,DEV=0"), by card id, by our id or by its full name. */
function findMicrophone(wanted: string, hardware: DetectedHardware): AudioChoice {
  const { microphones } = hardware;
  const alsa = /^(?:plug)?hw:(?:CARD=)?([A-Za-z0-9_-]+)(?:,(?:DEV=)?(\d{1,2}))?$/.exec(wanted);
  const card = alsa?.[1] ?? wanted;
  const device = alsa?.[2];
  const isCard = (fact: MicrophoneFact) => String(fact.card) === card || fact.cardId === card;
  const found =
    microphones.find((fact) => isCard(fact) && (device === undefined || String(fact.device) === device)) ??
    microphones.find((fact) => fact.id === wanted) ??
    findMoved(wanted, microphones, hardware.sharedNames) ??
    microphones.find((fact) => fact.name.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return onMicrophone(found);
  const known = microphones.slice(0, shownMicrophones).map((fact) => `${fact.alsaDevice} (${fact.name})`);
  const expected = known.length === 0 ? 'none was found' : `expected one of ${known.join(', ')}`;
  return { kind: 'missing', reason: `no microphone "${wanted}": ${expected}` };
}
