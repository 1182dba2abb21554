/** What `makespacelive hardware` says: facts, the profiles that fit, and each decision with what was not taken and why. Pure. */
import type { CameraFact, DetectedHardware, DetectionProblem, MicrophoneFact } from '#device/detect/facts.ts';
import { type AudioChoice, chooseAudio, describeBorrowed } from '#device/plan/audio-source.ts';
import type { Rejection } from '#device/plan/camera-mode.ts';
import { choosePicture, type PictureChoice } from '#device/plan/choose-picture.ts';
import { describePicture } from '#device/plan/picture.ts';
import { encodersOf, type ResolvedProfile, resolveProfile, whyBoard, whyCamera } from '#device/profile/resolve.ts';
import { chooseVideo, type VideoChoice } from '#device/profile/video-source.ts';
import { fitSettings } from '#device/settings/prepare.ts';
import type { HardwareProfiles, ProfileStatus } from '#hardware-profiles/schema.ts';
import type { SettingRefusal } from '#protocol/messages.ts';
import type { SettingValues } from '#protocol/settings.ts';

type MatchedProfile = { readonly id: string; readonly title: string; readonly status: ProfileStatus; readonly why: string };

export type DescribedHardware = {
  readonly board: { readonly model: string | null; readonly architecture: string; readonly profile: MatchedProfile };
  readonly cameras: readonly (Omit<CameraFact, 'modes'> & {
    readonly isChosen: boolean;
    readonly modeCount: number;
    readonly profile: MatchedProfile | null;
  })[];
  readonly microphones: readonly (MicrophoneFact & { readonly isChosen: boolean })[];
  readonly picture: {
    readonly source: string;
    readonly wished: string;
    readonly given: string;
    readonly turn: number;
    readonly shortfall: string | null;
  };
  /** Null: the source names no modes. */
  readonly mode: { readonly taken: string; readonly notTaken: readonly Rejection[] } | null;
  readonly encoder: { readonly taken: string; readonly notTaken: readonly Rejection[] };
  readonly sound: string;
  /** Settings of the environment that are wrong or cannot run here, each with its reason. */
  readonly leftOut: readonly string[];
  readonly problems: readonly DetectionProblem[];
};

export function describeHardware(
  hardware: DetectedHardware,
  profiles: HardwareProfiles,
  environment: SettingValues,
  refusedInEnvironment: readonly SettingRefusal[] = [],
): DescribedHardware {
  const profile = resolveProfile(hardware, profiles);
  const { settings, leftOut } = fitSettings(null, { hardware, profile, environment, refusedInEnvironment, fleetUrl: null });
  const video = chooseVideo(settings.AV_VIDEO_SOURCE, hardware);
  const choice = choosePicture(video, settings, hardware, profile);
  const audio = chooseAudio(settings, hardware, profile, video);
  const { wish, given, turn, shortfall, mode, rejectedModes } = choice;
  return {
    board: { ...hardware.board, profile: matched(profile.board, whyBoard(profile.board)) },
    cameras: hardware.cameras.map((camera) => describeCamera(camera, profile, video)),
    microphones: hardware.microphones.map((fact) => ({ ...fact, isChosen: audio.kind === 'microphone' && audio.microphone === fact })),
    picture: { source: describeSource(video), wished: describePicture(wish), given: describePicture(given), turn, shortfall },
    mode:
      video.kind !== 'camera'
        ? null
        : {
            taken:
              mode === null
                ? 'whatever the camera gives'
                : `${mode.encoding}${mode.format === '' ? '' : ` ${mode.format}`} ${describePicture(mode)}`,
            notTaken: rejectedModes,
          },
    encoder: describeEncoder(choice, hardware, profile, profiles),
    sound: describeSound(audio, video),
    leftOut: leftOut.map(({ reason }) => reason),
    problems: hardware.problems,
  };
}

function matched({ id, title, status }: Omit<MatchedProfile, 'why'>, why: string): MatchedProfile {
  return { id, title, status, why };
}

function describeCamera(camera: CameraFact, profile: ResolvedProfile, video: VideoChoice): DescribedHardware['cameras'][number] {
  const { modes, ...facts } = camera;
  const own = profile.cameras.get(camera.id);
  return {
    ...facts,
    isChosen: video.kind === 'camera' && video.camera === camera,
    modeCount: modes.length,
    profile: own === undefined ? null : matched(own, whyCamera(own)),
  };
}

function describeEncoder(
  { mode, encoder, rejectedEncoders }: PictureChoice,
  hardware: DetectedHardware,
  profile: ResolvedProfile,
  profiles: HardwareProfiles,
): DescribedHardware['encoder'] {
  const wanted = encodersOf(profile.board, profiles.encoders).map(({ match }) => match.element);
  const found = hardware.encoders.map(({ element }) => element);
  const unusable: readonly Rejection[] = [
    ...hardware.encoders.flatMap(({ element, failure }) =>
      failure === undefined ? [] : [{ subject: element, reason: `does not start: ${failure}` }],
    ),
    ...wanted.filter((element) => !found.includes(element)).map((subject) => ({ subject, reason: 'this GStreamer has no such element' })),
    ...found.filter((element) => !wanted.includes(element)).map((subject) => ({ subject, reason: 'is not used on this board' })),
  ];
  const isUnusable = (element: string) => unusable.some(({ subject }) => subject === element);
  if (mode?.encoding === 'h264') {
    const spare = wanted
      .filter((element) => !isUnusable(element))
      .map((subject) => ({ subject, reason: 'not needed: the camera encodes' }));
    return { taken: 'the camera’s own', notTaken: [...spare, ...unusable] };
  }
  const taken = encoder?.match.element ?? 'none is known';
  return { taken, notTaken: [...rejectedEncoders, ...unusable].filter(({ subject }) => subject !== taken) };
}

function describeSource(video: VideoChoice): string {
  switch (video.kind) {
    case 'camera':
      return video.camera.id;
    case 'test':
      return 'test picture';
    case 'file':
      return `file ${video.path}, in a loop`;
    case 'element':
      // The first word only: a source may carry an address with a password.
      return `element ${video.description.split(/[ !]/)[0] ?? ''}`;
    case 'missing':
      return `test picture (${video.reason})`;
    default:
      return video satisfies never;
  }
}

function describeSound(audio: AudioChoice, video: VideoChoice): string {
  switch (audio.kind) {
    case 'off':
      return 'off';
    case 'microphone': {
      const borrowed = describeBorrowed(audio.microphone, video);
      return `${audio.microphone.name} (${audio.microphone.alsaDevice})${borrowed === null ? '' : `: ${borrowed}`}`;
    }
    case 'file':
      return 'the file’s own';
    case 'tone':
      return 'a tone, with the test picture';
    case 'silence':
      return `silence: ${audio.reason}`;
    case 'element':
      return `element ${audio.description.split(/[ !]/)[0] ?? ''}`;
    case 'missing':
      return `silence (${audio.reason})`;
    default:
      return audio satisfies never;
  }
}

const labelWidth = 12;
/** A camera may have a hundred modes; all of them are in the JSON. */
const shownModes = 12;

/** For a terminal: a label, then what belongs to it, indented. A star marks what is taken. */
export function hardwareText(described: DescribedHardware): string {
  const { board, cameras, microphones, picture, mode, encoder, sound, leftOut, problems } = described;
  const lines = [
    ...block('board', [`${board.model ?? 'no model'} (${board.architecture})`, profileLine(board.profile)]),
    ...cameras.flatMap((camera) => block(`camera${camera.isChosen ? ' *' : ''}`, cameraLines(camera))),
    ...(cameras.length === 0 ? block('camera', ['none']) : []),
    ...microphones.flatMap((fact) => block(`microphone${fact.isChosen ? ' *' : ''}`, microphoneLines(fact))),
    ...(microphones.length === 0 ? block('microphone', ['none']) : []),
    ...block('picture', [
      picture.source,
      `${picture.given}${picture.turn === 0 ? '' : `, turned by ${picture.turn} degrees`}`,
      ...(picture.shortfall === null ? [] : [picture.shortfall]),
    ]),
    ...(mode === null ? [] : block('mode', [mode.taken, ...notTaken(mode.notTaken, shownModes)])),
    ...block('encoder', [encoder.taken, ...notTaken(encoder.notTaken, encoder.notTaken.length)]),
    ...block('sound', [sound]),
    ...leftOut.flatMap((reason) => block('left out', [reason])),
    ...problems.flatMap(({ subject, problem }) => block('problem', [`${subject}: ${problem}`])),
  ];
  return `${lines.join('\n')}\n`;
}

function block(label: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(labelWidth)}  ${line}`);
}

function profileLine(profile: MatchedProfile | null): string {
  return profile === null ? 'no profile: used as it says of itself' : `profile ${profile.id} (${profile.status}): ${profile.why}`;
}

function cameraLines({ id, name, path, driver, usb, modeCount, profile }: DescribedHardware['cameras'][number]): readonly string[] {
  const speed = usb?.speedMbps === null || usb === null ? '' : ` at ${usb.speedMbps} Mbit/s`;
  const where = usb === null ? path : `${path}, USB ${usb.id} in ${usb.place}${speed}`;
  return [`${id}: ${name}`, `${where}, driver ${driver}, ${modeCount} modes`, profileLine(profile)];
}

function microphoneLines({ id, name, alsaDevice, cameraId }: MicrophoneFact): readonly string[] {
  return [`${id}: ${name}`, `${alsaDevice}${cameraId === null ? '' : `, built into ${cameraId}`}`];
}

function notTaken(rejections: readonly Rejection[], most: number): readonly string[] {
  const shown = rejections.slice(0, most).map(({ subject, reason }) => `not ${subject}: ${reason}`);
  return rejections.length > most ? [...shown, `and ${rejections.length - most} more (--json has them all)`] : shown;
}
