/** Whether this machine can do what it is to do: elements, encoders, camera, microphone, targets. All of it is really tried. */
import type { DetectedHardware } from '#device/detect/facts.ts';
import { describeUnusableCameras } from '#device/detect/unusable-cameras.ts';
import type { BenchHost, TriedCapture } from '#device/doctor/bench-host.ts';
import { type Check, fail, pass, warn } from '#device/doctor/check.ts';
import { judgeTarget } from '#device/doctor/judge-target.ts';
import { chooseAudio, describeBorrowed } from '#device/plan/audio-source.ts';
import { noDecoderWords } from '#device/plan/keyframe-look.ts';
import type { IcecastOutputPlan, RtmpOutputPlan } from '#device/plan/pipeline-plan.ts';
import { planPipeline } from '#device/plan/plan.ts';
import { noJpegEncoderWords } from '#device/plan/preview.ts';
import type { ResolvedProfile } from '#device/profile/resolve.ts';
import { chooseVideo } from '#device/profile/video-source.ts';
import type { ResolvedSettings } from '#device/settings/levels.ts';
import type { SettingKey, SettingValue } from '#protocol/settings.ts';

export type MediaSubject = {
  readonly settings: ResolvedSettings;
  readonly hardware: DetectedHardware;
  readonly profile: ResolvedProfile;
};

const measuredMs = 2000;
const decisionBoundMs = 12_000;
/** Below it somebody sees that it stutters. */
const enoughFramesShare = 0.85;

/** Elements and the Debian package that has them, as in setup/packages/device.txt. */
const needed: Readonly<Record<string, readonly string[]>> = {
  'gstreamer1.0-plugins-base': ['appsrc', 'appsink', 'videotestsrc', 'videoconvert', 'videorate', 'audioconvert', 'audioresample'],
  'gstreamer1.0-alsa': ['alsasrc'],
  'gstreamer1.0-plugins-good': ['flvmux', 'v4l2src', 'jpegdec', 'audiofirfilter'],
  'gstreamer1.0-plugins-bad': ['rtmp2sink', 'h264parse', 'voaacenc'],
};

export function checkElements({ elements, gstreamerVersion, problems }: DetectedHardware): Check {
  if (elements.size === 0) {
    const problem = problems.find(({ subject }) => subject === 'gst-inspect-1.0')?.problem ?? 'gst-inspect-1.0 names no element';
    return fail('gstreamer', problem, 'Install gstreamer1.0-tools.');
  }
  const missing = Object.entries(needed).flatMap(([packageName, names]) => {
    const absent = names.filter((name) => !elements.has(name));
    return absent.length === 0 ? [] : [{ packageName, absent }];
  });
  if (missing.length === 0) return pass('gstreamer', `version ${gstreamerVersion ?? 'unknown'}, all elements are there`);
  const names = missing.flatMap(({ absent }) => absent).join(', ');
  return fail('gstreamer', `missing: ${names}`, `Install ${missing.map(({ packageName }) => packageName).join(' ')}.`);
}

/** Each encoder has to encode the size and rate that are set; the first is the one that is used. */
export async function checkEncoders(host: BenchHost, subject: MediaSubject): Promise<readonly Check[]> {
  const present = subject.profile.encoders.filter(({ match }) =>
    subject.hardware.encoders.some(({ element }) => element === match.element),
  );
  if (present.length === 0) return [fail('encoder', 'GStreamer has no H.264 encoder', 'Install gstreamer1.0-plugins-ugly (x264enc).')];
  const checks: Check[] = subject.hardware.encoders.flatMap(({ element, failure }) =>
    failure === undefined
      ? []
      : [
          warn(
            'encoder',
            `${element} does not start: ${failure}`,
            'Another one is used. It may want a driver, a permission or memory for the GPU.',
          ),
        ],
  );
  for (const [index, encoder] of present.entries()) {
    const profile = { ...subject.profile, encoders: [encoder] };
    const tried = withSettings({ ...subject, profile }, { AV_VIDEO_SOURCE: 'test', AV_DISABLE_AUDIO: true, AV_PREVIEW_INTERVAL: 0 });
    const name = encoder.match.element;
    const { width, height, framesPerSecond } = tried.capture;
    const wish = `${width}x${height} at ${framesPerSecond}/s`;
    const outcome = await host.run(tried);
    // The second best is only what remains when the first is gone.
    const bad = index === 0 ? fail : warn;
    if (outcome.kind === 'failed') {
      checks.push(
        bad(
          'encoder',
          `${name} does not encode ${wish}: ${outcome.reason}`,
          'Lower the size or the rate, or look at AV_H264_ENCODER_PARAMS.',
        ),
      );
      continue;
    }
    const rate = await host.frameRate(measuredMs);
    const figure = `${name}: ${rate.toFixed(1)} frames a second of ${wish}`;
    if (rate >= enoughFramesShare * framesPerSecond) checks.push(pass('encoder', `${figure}${index === 0 ? ' (in use)' : ''}`));
    else
      checks.push(
        warn('encoder', figure, 'Too slow for this size and rate: lower AV_VIDEO_WIDTH and AV_VIDEO_HEIGHT or AV_VIDEO_FRAMERATE.'),
      );
  }
  return checks;
}

export async function checkCamera(host: BenchHost, subject: MediaSubject): Promise<Check> {
  const video = chooseVideo(subject.settings.AV_VIDEO_SOURCE, subject.hardware);
  if (video.kind === 'missing') return warn('camera', video.reason, 'Plug one in; until then the test picture is streamed.');
  if (video.kind === 'test' && subject.settings.AV_VIDEO_SOURCE.value !== 'test') {
    const unusable = describeUnusableCameras(subject.hardware.problems);
    if (unusable !== '') return fail('camera', `none can be used: ${unusable}`, 'Until that is mended the test picture is streamed.');
    return warn('camera', 'none was found', 'Plug one in; until then the test picture is streamed.');
  }
  if (video.kind === 'test') return pass('camera', 'the test picture was asked for (AV_VIDEO_SOURCE)');
  const tried = withSettings(subject, { AV_DISABLE_AUDIO: true, AV_PREVIEW_INTERVAL: 0 });
  const { source, framesPerSecond } = tried.capture;
  const outcome = await host.run(tried);
  if (outcome.kind === 'failed') {
    if (video.kind === 'file') return fail('camera', outcome.reason, 'Mend what the reason names; until then a card is streamed.');
    return fail('camera', `${source.label}: ${outcome.reason}`, 'Look at its cable and supply; another program may be using it.');
  }
  const rate = await host.frameRate(measuredMs);
  const figure = `${source.label}: ${rate.toFixed(1)} frames a second of ${framesPerSecond}`;
  if (rate >= enoughFramesShare * framesPerSecond) return pass('camera', figure);
  if (video.kind === 'file') return warn('camera', figure, 'The board is too slow: lower AV_VIDEO_WIDTH and AV_VIDEO_HEIGHT.');
  return warn('camera', figure, 'Many cameras slow down in poor light; else lower the size, or use another USB port.');
}

/** Whether somebody can see what a camera gives that encodes by itself, and whether previews can be had; of what is well nothing else is said. */
export function checkSight({ settings, hardware, profile }: MediaSubject): readonly Check[] {
  const { capture, preview } = planPipeline(settings, hardware, profile);
  const look = capture.keyframeLook;
  if (look?.description !== null && preview?.encoder === null) {
    return [warn('preview', noJpegEncoderWords, 'Until then the dashboard shows no picture of this device; its stream goes on.')];
  }
  if (look === undefined) return [];
  if (look.description !== null) return [pass('picture', 'the camera’s own H.264 is looked at, a keyframe a second')];
  const advice = 'Install gstreamer1.0-plugins-bad (openh264dec); until then nobody is told of a black or frozen picture.';
  return [warn('picture', `the camera’s own H.264 is ${noDecoderWords}, and there is no preview`, advice)];
}

export async function checkMicrophone(host: BenchHost, subject: MediaSubject): Promise<Check> {
  const video = chooseVideo(subject.settings.AV_VIDEO_SOURCE, subject.hardware);
  const audio = chooseAudio(subject.settings, subject.hardware, subject.profile, video);
  switch (audio.kind) {
    case 'off':
      return pass('microphone', 'sound is turned off (AV_DISABLE_AUDIO)');
    case 'file':
      return pass('microphone', 'the video file’s own sound, or silence where it has none');
    case 'tone':
      return pass('microphone', 'the test picture has a tone of its own');
    case 'silence':
    case 'missing':
      return warn(
        'microphone',
        `${audio.reason}: the stream carries silence`,
        'Plug one in, choose one in AV_AUDIO_DEVICE, or set AV_DISABLE_AUDIO.',
      );
    case 'element':
      return pass('microphone', 'a source of the device’s own environment (AV_AUDIO_SRC)');
    case 'microphone': {
      const { name, alsaDevice } = audio.microphone;
      const outcome = await host.run(withSettings(subject, { ...smallTestPicture, AV_AUDIO_DEVICE: alsaDevice }));
      if (outcome.kind === 'failed') {
        return fail(
          'microphone',
          `${name} (${alsaDevice}): ${outcome.reason}`,
          'Look at AV_AUDIO_SAMPLING_RATE; another program may be using it.',
        );
      }
      await host.pause(measuredMs);
      const status = host.status();
      const media = status?.media;
      // Silence stands in for it, and has a bitrate of its own.
      if (media?.kind === 'running' && media.microphoneLostAt !== undefined) {
        return fail(
          'microphone',
          `${name} (${alsaDevice}): ${media.microphoneFault ?? 'it gives no sound'}`,
          'Until that is mended the stream carries silence; another one can be chosen in AV_AUDIO_DEVICE.',
        );
      }
      const kbps = status?.figures?.audioBitrateKbps ?? 0;
      const borrowed = describeBorrowed(audio.microphone, video);
      if (kbps > 0) return pass('microphone', `${name} (${alsaDevice}) gives sound${borrowed === null ? '' : `; ${borrowed}`}`);
      return fail('microphone', `${name} (${alsaDevice}) opens and gives nothing`, 'Unplug it and plug it in again; try another USB port.');
    }
    default:
      return audio satisfies never;
  }
}

const smallTestPicture = {
  AV_VIDEO_SOURCE: 'test',
  AV_VIDEO_WIDTH: 320,
  AV_VIDEO_HEIGHT: 180,
  AV_VIDEO_FRAMERATE: 15,
  AV_VIDEO_BITRATE: 300,
  AV_PREVIEW_INTERVAL: 0,
} as const satisfies { readonly [K in SettingKey]?: SettingValue };

/** A real stream of two seconds to each target, one after the other. */
export async function checkTargets(
  host: BenchHost,
  subject: MediaSubject,
  targets: readonly (RtmpOutputPlan | IcecastOutputPlan)[],
): Promise<readonly Check[]> {
  const tried = withSettings(subject, smallTestPicture);
  const checks: Check[] = [];
  for (const output of targets) {
    const outcome = await host.run(tried, [output]);
    if (outcome.kind === 'failed') {
      checks.push(
        fail(
          output.id,
          `${output.target}: there is no picture to stream: ${outcome.reason}`,
          'See the checks of GStreamer and the encoder.',
        ),
      );
      continue;
    }
    const first = await host.outputDecision(output.id, decisionBoundMs);
    if (first.kind === 'streaming') await host.pause(measuredMs);
    const last = first.kind === 'streaming' ? host.outputState(output.id) : first;
    checks.push(judgeTarget(output.id, output.target, last, measuredMs));
  }
  return checks;
}

function withSettings({ settings, hardware, profile }: MediaSubject, changes: { readonly [K in SettingKey]?: SettingValue }): TriedCapture {
  const changed = Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, { value, level: 'device' as const }]));
  const { capture, live } = planPipeline({ ...settings, ...changed }, hardware, profile);
  return { capture, live };
}
