/** From settings, facts and profiles to the whole pipeline, as data. Pure and total: with no camera it plans the test picture. */
import type { CameraFact, DetectedHardware, UsbIdentity } from '#device/detect/facts.ts';
import { type AudioChoice, chooseAudio } from '#device/plan/audio-source.ts';
import * as capture from '#device/plan/capture.ts';
import { choosePicture, type PictureChoice } from '#device/plan/choose-picture.ts';
import { adaptiveBitrate, describeEncoder, liveBitrate } from '#device/plan/encoder.ts';
import { planFile } from '#device/plan/file-source.ts';
import { noDecoderWords, planKeyframeLook } from '#device/plan/keyframe-look.ts';
import { planIcecastOutput, planOutputs, planRecordingOutput } from '#device/plan/output.ts';
import { nearestWithin } from '#device/plan/picture.ts';
import type {
  AdaptivePlan,
  CapturePlan,
  DeviceUsb,
  KeyframeLookPlan,
  LiveProperty,
  OutputPlan,
  PipelinePlan,
  SoundCard,
} from '#device/plan/pipeline-plan.ts';
import { canEncodePreviews, type PreviewSize, planPreview, previewBranch, previewSize } from '#device/plan/preview.ts';
import type { ResolvedProfile } from '#device/profile/resolve.ts';
import { chooseVideo, type VideoChoice } from '#device/profile/video-source.ts';
import { fittingParameters, parseParameters } from '#device/settings/encoder-parameters.ts';
import type { ResolvedSettings } from '#device/settings/levels.ts';
import type { VideoSource } from '#protocol/media.ts';
import { audioBitsPerSecond, type SettingKey, type SettingValue, settingDefinitions } from '#protocol/settings.ts';

/** Planned where no encoder is known at all: the media host then says that there is no such element. */
const lastResort = 'x264enc';
/** In place of an encoder's name: a camera's own H.264. */
export const cameraEncodes = 'camera';

/** `absentCamera`: the camera that somebody has chosen and nobody has seen; the card is planned in its place. */
export function planPipeline(
  settings: ResolvedSettings,
  hardware: DetectedHardware,
  profile: ResolvedProfile,
  absentCamera: string | null = null,
): PipelinePlan {
  const chosen = chooseVideo(settings.AV_VIDEO_SOURCE, hardware);
  const video: PlannedVideo = absentCamera === null ? chosen : { kind: 'absent', camera: absentCamera };
  const audio: AudioChoice = hasElement(hardware, 'voaacenc') ? chooseAudio(settings, hardware, profile, chosen) : { kind: 'off' };
  const choice = choosePicture(chosen, settings, hardware, profile);
  const audioPart = describeAudio(video.kind === 'absent' ? silenceFor(audio) : audio, settings, hardware);
  // Of one size, whatever is on air: the card may be smaller than the camera's picture.
  const previews = {
    intervalS: number(settings, 'AV_PREVIEW_INTERVAL'),
    size: previewSize(capture.turnedPicture(choice.given, choice.turn)),
    elements: hardware.elements,
  };
  const videoPart = planVideo(video, video.kind === 'absent' ? cardChoice(choice) : choice, settings, hardware, previews.size);
  const cardPart = planVideo({ kind: 'card' }, cardChoice(choice), settings, hardware, previews.size);
  const describe = (branches: readonly string[], sound: string | null) =>
    [capture.muxer(hardware.elements), ...branches, ...(sound === null ? [] : [sound])].join(' ');
  const silent = describeAudio(silenceFor(audio), settings, hardware);
  const probe = describeProbe(audio);
  const isSilencable = audio.kind === 'off' && hasElement(hardware, 'voaacenc');
  const filler = isSilencable ? describeAudio({ kind: 'silence', reason: '' }, settings, hardware) : null;
  return {
    capture: {
      description: describe(videoPart.branches, audioPart),
      source: sourceOf(video),
      encoder: videoPart.encoder,
      ...capture.turnedPicture(choice.given, choice.turn),
      hasAudio: audioPart !== null,
      ...(video.kind === 'camera' && video.camera.kind === 'v4l2' ? nodeOf(video.camera) : {}),
      ...(video.kind === 'file'
        ? { file: planFile(video, hardware.elements, audio.kind === 'file' ? soundFormat(settings).rateHz : null) }
        : {}),
      ...(videoPart.look == null ? {} : { keyframeLook: videoPart.look }),
      ...(hasCard(video)
        ? { card: { description: describe(cardPart.branches, silent), live: [...cardPart.live], title: text(settings, 'AV_ROOM_NAME') } }
        : {}),
      ...(filler === null
        ? {}
        : {
            silenced: {
              description: describe(videoPart.branches, filler),
              ...(hasCard(video) ? { card: describe(cardPart.branches, filler) } : {}),
            },
          }),
      ...(probe === null ? {} : { withoutMicrophone: { description: describe(videoPart.branches, silent), probe, ...cardOf(audio) } }),
    },
    live: [...videoPart.live],
    outputs: [
      ...planOutputs((key) => text(settings, key)),
      ...planIcecastOutput(text(settings, 'AV_ICECAST_URL'), text(settings, 'AV_ROOM_NAME'), audioPart !== null),
      ...(settings.AV_RECORD.value === true ? [planRecording(settings)] : []),
    ],
    ...(previews.intervalS === 0 ? {} : { preview: planPreview({ ...previews, isUndecoded: videoPart.look?.description === null }) }),
    ...(videoPart.adaptive === undefined ? {} : { adaptive: videoPart.adaptive }),
  };
}

/** The recording that the settings would make, whether they want one or not. */
export function planRecording(settings: ResolvedSettings): OutputPlan {
  return planRecordingOutput(text(settings, 'AV_RECORD_DIR'), number(settings, 'AV_RECORD_SEGMENT'));
}

/** The plan for people and logs; it holds no secret. */
export function describePlan(plan: PipelinePlan): string {
  const { source, encoder, width, height, framesPerSecond, hasAudio, description, keyframeLook } = plan.capture;
  const live = plan.live.map(({ element, property, value }) => `${element}.${property}=${value}`).join(' ');
  return [
    `picture: ${source.label} (${source.kind} ${source.id}), ${width}x${height} at ${framesPerSecond}/s, encoder ${encoder}`,
    `sound: ${hasAudio ? 'on' : 'off'}`,
    ...plan.outputs.map((output) => `output ${output.id}: ${output.target}`),
    ...(live === '' ? [] : [`set while running: ${live}`]),
    `pipeline: ${description}`,
    ...(keyframeLook === undefined ? [] : [`keyframes: ${keyframeLook.description ?? noDecoderWords}`]),
    ...(plan.preview === undefined ? [] : [`previews: ${plan.preview.missing ?? plan.preview.encoder?.description ?? ''}`]),
  ].join('\n');
}

/** A choice, the card itself, or the card in the place of a camera that is not there. */
type PlannedVideo = VideoChoice | { readonly kind: 'card' } | { readonly kind: 'absent'; readonly camera: string };

/** What no unplugging can stop needs no card; what is on air in place of a camera is one, and takes its title from there. */
function hasCard(video: PlannedVideo): boolean {
  return video.kind === 'absent' || !isGenerated(video);
}

/** Our own pictures. */
function isGenerated({ kind }: PlannedVideo): boolean {
  return kind !== 'camera' && kind !== 'element' && kind !== 'file';
}

/** The card has the stream's size and is upright. It passes the encoder, which a camera's own H.264 does not. */
function cardChoice(choice: PictureChoice): PictureChoice {
  const given = nearestWithin(capture.turnedPicture(choice.given, choice.turn), choice.encoder?.maximumPixelsPerSecond);
  return { ...choice, mode: null, given, turn: 0 };
}

type VideoPart = {
  readonly branches: readonly string[];
  readonly encoder: string;
  readonly live: readonly LiveProperty[];
  readonly adaptive?: AdaptivePlan;
  readonly look?: KeyframeLookPlan | null;
};

function planVideo(
  video: PlannedVideo,
  choice: PictureChoice,
  settings: ResolvedSettings,
  hardware: DetectedHardware,
  preview: PreviewSize,
): VideoPart {
  const { mode, given, turn, encoder: encoderProfile } = choice;
  const parser = describeParser(settings);
  const previewIntervalS = canEncodePreviews(hardware.elements) ? number(settings, 'AV_PREVIEW_INTERVAL') : 0;
  const isSeen = isWatched(video, choice, hardware);
  if (video.kind === 'camera' && mode?.encoding === 'h264') {
    const branches = [`${capture.nativeH264(video.camera.path, mode)} ! ${parser} ! queue ! mux.`];
    const look = planKeyframeLook({ previewIntervalS, size: preview, isWatched: isSeen }, hardware.elements);
    return { branches, encoder: cameraEncodes, live: [], look };
  }
  const bitrateKbps = number(settings, 'AV_VIDEO_BITRATE');
  const encoder =
    encoderProfile === undefined
      ? `${lastResort} ! video/x-h264,profile=high`
      : describeEncoder(encoderProfile, {
          bitrateKbps,
          keyframeIntervalFrames: number(settings, 'AV_KEYFRAME_INTERVAL') * given.framesPerSecond,
          parameters: fittingParameters(text(settings, 'AV_H264_ENCODER_PARAMS'), encoderProfile, hardware.encoders),
        });
  const encoding = `${encoder} ! ${parser} ! queue ! mux.`;
  const pictures = capture.turned(describePictures(video, choice, hardware), turn);
  // The source's own thread only fills a short queue: a slow encoder does not make the driver drop what it could keep.
  const short = 'queue max-size-buffers=4 max-size-bytes=0 max-size-time=0';
  const lookers = [
    ...(previewIntervalS === 0 ? [] : [previewBranch(preview, previewIntervalS, hardware.elements)]),
    ...(isSeen ? [capture.pictureProbe()] : []),
  ];
  const branches =
    lookers.length === 0
      ? [`${pictures} ! ${short} ! ${encoding}`]
      : [`${pictures} ! tee name=${capture.rawTee}`, `${capture.rawTee}. ! ${short} ! ${encoding}`, ...lookers];
  return {
    branches,
    encoder: encoderProfile?.match.element ?? lastResort,
    live: encoderProfile === undefined ? [] : liveBitrate(encoderProfile, bitrateKbps),
    ...(encoderProfile === undefined || settings.AV_ADAPTIVE_BITRATE.value !== true
      ? {}
      : adaptiveBitrate(encoderProfile, number(settings, 'AV_VIDEO_BITRATE_MIN'), bitrateKbps)),
  };
}

/** Whether anybody is to be told of a black or frozen picture: not of our own, not of slides, and not of what a file shows. */
function isWatched(video: PlannedVideo, { showsSlides }: PictureChoice, hardware: DetectedHardware): boolean {
  return (
    !isGenerated(video) && video.kind !== 'file' && !showsSlides && capture.pictureProbeElements.every((name) => hasElement(hardware, name))
  );
}

function describePictures(video: PlannedVideo, { mode, given: picture, encoder }: PictureChoice, hardware: DetectedHardware): string {
  const encoderFormats = encoder?.inputFormats ?? [];
  switch (video.kind) {
    case 'camera':
      return video.camera.kind === 'libcamera'
        ? capture.libcameraPictures(video.camera.path, picture, encoderFormats)
        : capture.cameraPictures(video.camera.path, mode, picture, encoderFormats);
    case 'file':
      return capture.filePictures(picture);
    case 'element':
      return capture.elementPictures(video.description, picture);
    case 'test':
    case 'missing':
      return capture.testPicture(picture, hardware.elements);
    case 'absent':
    case 'card':
      return capture.cardPicture(picture, hardware.elements);
    default:
      return video satisfies never;
  }
}

function nodeOf({ path, usb }: CameraFact): Pick<CapturePlan, 'devicePath' | 'deviceUsb'> {
  return { devicePath: path, ...(usb === null ? {} : { deviceUsb: toDeviceUsb(usb) }) };
}

function cardOf(audio: AudioChoice): { readonly card?: SoundCard } {
  if (audio.kind !== 'microphone' || audio.microphone.usb === null) return {};
  return { card: { number: audio.microphone.card, usb: toDeviceUsb(audio.microphone.usb) } };
}

function toDeviceUsb({ port, id, serial }: UsbIdentity): DeviceUsb {
  return { port, id, serial };
}

function silenceFor(audio: AudioChoice): AudioChoice {
  return audio.kind === 'off' || audio.kind === 'silence' ? audio : { kind: 'silence', reason: '' };
}

function describeProbe(audio: AudioChoice): string | null {
  if (audio.kind === 'microphone') return capture.microphoneProbe(audio.microphone.card, audio.microphone.device);
  return audio.kind === 'element' ? capture.elementProbe(audio.description) : null;
}

function describeAudio(audio: AudioChoice, settings: ResolvedSettings, hardware: DetectedHardware): string | null {
  const format = soundFormat(settings);
  const use = { format, hasProbe: capture.soundProbeElements.every((name) => hasElement(hardware, name)) };
  switch (audio.kind) {
    case 'off':
      return null;
    case 'file':
      return capture.fileSound(use);
    case 'tone':
      return capture.tone(use);
    case 'silence':
    case 'missing':
      return capture.silence(use);
    case 'microphone':
      return capture.microphoneSound(audio.microphone.card, audio.microphone.device, use);
    case 'element':
      return capture.elementSound(audio.description, use);
    default:
      return audio satisfies never;
  }
}

function soundFormat(settings: ResolvedSettings): capture.AudioFormat {
  return capture.audioFormat(number(settings, 'AV_AUDIO_SAMPLING_RATE'), audioBitsPerSecond(number(settings, 'AV_AUDIO_BITRATE')));
}

function describeParser(settings: ResolvedSettings): string {
  const isOwn = settings.AV_H264_PARSER_PARAMS.level === 'environment';
  const pairs = isOwn ? (parseParameters(text(settings, 'AV_H264_PARSER_PARAMS')) ?? []) : [];
  return ['h264parse', ...pairs.map(({ name, value }) => `${name}=${value}`)].join(' ');
}

function sourceOf(video: PlannedVideo): VideoSource {
  const label = (words: string) => words.slice(0, 200);
  switch (video.kind) {
    case 'camera':
      return { kind: 'camera', id: label(video.camera.id), label: label(cameraLabel(video.camera)) };
    case 'file':
      return { kind: 'file', id: label(video.path), label: label(`File ${video.path.split('/').at(-1) ?? ''}`) };
    case 'element':
      // The first word only: a source may carry an address with a password.
      return { kind: 'element', id: 'environment', label: label(video.description.split(/[ !]/)[0] ?? '') };
    case 'test':
      return { kind: 'test', id: 'test', label: 'Test picture' };
    case 'missing':
      return { kind: 'test', id: 'test', label: label(`Test picture: ${video.reason}`) };
    case 'absent':
      return { kind: 'no-signal', id: label(video.camera), label: label(`No signal: ${video.camera} is not there`) };
    case 'card':
      return { kind: 'no-signal', id: 'card', label: 'No signal' };
    default:
      return video satisfies never;
  }
}

/** Where GStreamer's tools told of no element at all, every one is assumed. */
function hasElement({ elements }: DetectedHardware, name: string): boolean {
  return elements.size === 0 || elements.has(name);
}

function cameraLabel(camera: CameraFact): string {
  return camera.name === '' ? camera.id : camera.name;
}

function valueInForce(settings: ResolvedSettings, key: SettingKey): SettingValue | null {
  return settings[key].value ?? settingDefinitions[key].default;
}

function number(settings: ResolvedSettings, key: SettingKey): number {
  return Number(valueInForce(settings, key));
}

function text(settings: ResolvedSettings, key: SettingKey): string {
  return String(valueInForce(settings, key) ?? '');
}
