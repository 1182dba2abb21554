/**
 * Planned descriptions run by GStreamer itself and read back by ffprobe. The sources end after 1.5 s of pictures; where a
 * camera is planned, something that gives the same caps stands in for its v4l2src, and a tone for a microphone.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { planPipeline } from '#device/plan/plan.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile, withProfileLevels } from '#device/profile/resolve.ts';
import { resolveSettings } from '#device/settings/levels.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { c270, c920, camera, microphone, rawCamera, server, withDevices } from './hardware.ts';
import { isFlash, middle, picturesOf, soundOf, tonesAfterFlashesMs } from './moments.ts';

const run = promisify(execFile);
const profiles = await loadProfiles();
const previewLimitBytes = 200 * 1024;

type Row = {
  readonly name: string;
  readonly hardware: DetectedHardware;
  readonly settings: SettingValues;
  /** Stands in for `v4l2src device=…`. */
  readonly camera?: string;
  readonly width: number;
  readonly height: number;
  readonly rate: number;
  readonly audioRateHz: number | null;
  readonly hasPreview: boolean;
};

const openh264Only = { ...server, encoders: server.encoders.filter((encoder) => encoder.element === 'openh264enc') };

const rows: readonly Row[] = [
  { name: 'the test picture', hardware: server, settings: {}, width: 1280, height: 720, rate: 30, audioRateHz: 16000, hasPreview: true },
  {
    name: 'small, 10 a second, no sound',
    hardware: server,
    settings: { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360, AV_VIDEO_FRAMERATE: 10, AV_DISABLE_AUDIO: true },
    width: 640,
    height: 360,
    rate: 10,
    audioRateHz: null,
    hasPreview: true,
  },
  {
    name: 'an unusual size, 25 a second, no preview',
    hardware: server,
    settings: {
      AV_VIDEO_WIDTH: 854,
      AV_VIDEO_HEIGHT: 482,
      AV_VIDEO_FRAMERATE: 25,
      AV_PREVIEW_INTERVAL: 0,
      AV_AUDIO_SAMPLING_RATE: 44100,
    },
    width: 854,
    height: 482,
    rate: 25,
    audioRateHz: 44100,
    hasPreview: false,
  },
  {
    name: 'OpenH264',
    hardware: openh264Only,
    settings: { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480 },
    width: 640,
    height: 480,
    rate: 30,
    audioRateHz: 16000,
    hasPreview: true,
  },
  {
    name: 'sources of the environment’s own: noise, and a sound that is not live',
    hardware: server,
    settings: {
      AV_VIDEO_SOURCE: 'videotestsrc pattern=snow',
      AV_AUDIO_SRC: 'audiotestsrc wave=ticks',
      AV_H264_PARSER_PARAMS: 'config-interval=1',
    },
    width: 1280,
    height: 720,
    rate: 30,
    audioRateHz: 16000,
    hasPreview: true,
  },
  {
    name: 'a raw camera, silence',
    hardware: withDevices(server, [rawCamera]),
    settings: { AV_H264_ENCODER_PARAMS: 'speed-preset=superfast tune=zerolatency+fastdecode' },
    camera: 'videotestsrc is-live=true',
    width: 1280,
    height: 720,
    rate: 30,
    audioRateHz: 16000,
    hasPreview: true,
  },
  {
    name: 'a raw camera whose format the encoder takes as it is',
    hardware: withDevices(server, [camera('nv12', [{ pixelFormat: 'NV12', width: 640, height: 480, frameRates: [30] }])]),
    settings: { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480 },
    camera: 'videotestsrc is-live=true',
    width: 640,
    height: 480,
    rate: 30,
    audioRateHz: 16000,
    hasPreview: true,
  },
  {
    name: 'a raw camera whose format the encoder takes, thinned out',
    hardware: withDevices(server, [camera('nv12', [{ pixelFormat: 'NV12', width: 640, height: 480, frameRates: [30] }])]),
    settings: { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480, AV_VIDEO_FRAMERATE: 10, AV_PREVIEW_INTERVAL: 0 },
    camera: 'videotestsrc is-live=true num-buffers=60',
    width: 640,
    height: 480,
    rate: 10,
    audioRateHz: 16000,
    hasPreview: false,
  },
  {
    name: 'an MJPEG camera with a microphone',
    hardware: withDevices(server, [c270], [microphone(1, { cameraId: 'usb-c270' })]),
    settings: {},
    camera: 'videotestsrc is-live=true ! video/x-raw,format=Y42B ! jpegenc',
    width: 1280,
    height: 720,
    rate: 30,
    audioRateHz: 32000,
    hasPreview: true,
  },
  {
    name: 'an MJPEG camera, scaled and thinned out',
    hardware: withDevices(server, [c270]),
    settings: { AV_VIDEO_WIDTH: 1000, AV_VIDEO_HEIGHT: 500, AV_VIDEO_FRAMERATE: 20 },
    camera: 'videotestsrc is-live=true ! jpegenc',
    width: 1000,
    height: 500,
    rate: 20,
    audioRateHz: 32000,
    hasPreview: true,
  },
  {
    name: 'the test picture on its side',
    hardware: server,
    settings: { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360, AV_VIDEO_ROTATE: 90, AV_DISABLE_AUDIO: true },
    width: 360,
    height: 640,
    rate: 30,
    audioRateHz: null,
    hasPreview: true,
  },
  {
    name: 'an MJPEG camera that hangs upside down',
    hardware: withDevices(server, [c270]),
    settings: { AV_VIDEO_ROTATE: 180 },
    camera: 'videotestsrc is-live=true ! jpegenc',
    width: 1280,
    height: 720,
    rate: 30,
    audioRateHz: 32000,
    hasPreview: true,
  },
  {
    name: 'a raw camera on its side, whose format the encoder takes as it is',
    hardware: withDevices(server, [camera('nv12', [{ pixelFormat: 'NV12', width: 640, height: 480, frameRates: [30] }])]),
    settings: { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 480, AV_VIDEO_ROTATE: 270, AV_DISABLE_AUDIO: true },
    camera: 'videotestsrc is-live=true',
    width: 480,
    height: 640,
    rate: 30,
    audioRateHz: null,
    hasPreview: true,
  },
  {
    name: 'a camera that encodes itself',
    hardware: withDevices(server, [c920], [microphone(1)]),
    settings: {},
    camera: 'videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=superfast',
    width: 1280,
    height: 720,
    rate: 30,
    audioRateHz: 16000,
    hasPreview: false,
  },
];

test.each(rows)('$name', async (row) => {
  const directory = await mkdtemp(join(tmpdir(), 'run-plan-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const profile = resolveProfile(row.hardware, profiles);
  const settings = resolveSettings(withProfileLevels({ environment: row.settings }, row.hardware, profile));
  const { capture } = planPipeline(settings, row.hardware, profile);
  const file = join(directory, 'stream.flv');
  const frames = Math.ceil(row.rate * 1.5);
  const description = capture.description
    // A machine that is busy is late by more than the muxer waits for; how quick this one is is not what is tried.
    .replace(/(?<=flvmux [^!]*latency=)\d+/, '10000000000')
    .replace(/appsink name=tags[^!]*?max-buffers=1000/, `filesink location=${file}`)
    .replace(
      /capssetter [^!]*x-picture ! appsink name=preview-pictures.*?drop=true/,
      `jpegenc ! multifilesink location=${directory}/preview-%03d.jpg`,
    )
    // An appsink that nobody pulls from never comes to its end.
    .replace(/appsink name=(?:luma|samples|ticks).*?drop=true/g, 'fakesink sync=false async=false')
    .replace(/v4l2src name=camera device="[^"]*"/, row.camera ?? '')
    .replace(/alsasrc name=microphone device="[^"]*"/, 'audiotestsrc is-live=true')
    .replace(/videotestsrc(?!.*num-buffers)/, `videotestsrc num-buffers=${frames}`)
    .replace(/audiotestsrc(?=[^!]*! audio\/x-raw,format=U8)/, 'audiotestsrc num-buffers=3')
    .replace(
      /audiotestsrc(?! num-buffers)/,
      `audiotestsrc samplesperbuffer=1024 num-buffers=${Math.ceil(((row.audioRateHz ?? 0) * 1.5) / 1024)}`,
    );
  await run('gst-launch-1.0', ['-q', ...words(description)], { timeout: 20_000, killSignal: 'SIGKILL' });

  const streams = await probe(file);
  expect(streams.video).toMatchObject({ codec_name: 'h264', profile: 'High', width: row.width, height: row.height });
  expect(streams.audio?.sample_rate).toBe(row.audioRateHz === null ? undefined : String(row.audioRateHz));
  expect(streams.audio?.codec_name).toBe(row.audioRateHz === null ? undefined : 'aac');
  // FLV counts milliseconds. What must not be is pictures bent onto the sound's times.
  const gaps = streams.videoTimes.slice(1).map((time, index) => Math.round((time - (streams.videoTimes[index] ?? 0)) * 1000));
  const regular = gaps.filter((gap) => Math.abs(gap - 1000 / row.rate) <= 2);
  expect(gaps.length).toBeGreaterThan(8);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  expect(regular.length / gaps.length).toBeGreaterThan(0.8);
  // On a busy machine one live source begins later than the other; that their times are right is tried below.
  if (row.audioRateHz !== null) expect(Math.abs((streams.videoTimes[0] ?? 9) - (streams.audioTimes[0] ?? -9))).toBeLessThan(1);

  const previews = (await readdir(directory)).filter((name) => name.endsWith('.jpg'));
  expect(previews.length > 0).toBe(row.hasPreview);
  for (const name of previews) {
    const jpeg = await readFile(join(directory, name));
    expect([...jpeg.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    expect(jpeg.byteLength).toBeLessThan(previewLimitBytes);
  }
});

test.each([16_000, 48_000])('what happens at one moment is seen and heard at one moment, at %i Hz', async (rateHz) => {
  const directory = await mkdtemp(join(tmpdir(), 'run-plan-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const [pictures, sound, file] = ['pictures', 'sound', 'stream.flv'].map((name) => join(directory, name)) as [string, string, string];
  const seconds = 5;
  const { bright, dark } = picturesOf(64, 36);
  const frames = Array.from({ length: seconds * 30 }, (_, frame) => (isFlash(frame / 30) ? bright : dark));
  await writeFile(pictures, Buffer.concat(frames));
  await writeFile(sound, soundOf(0, seconds * rateHz, rateHz));
  const environment = {
    AV_VIDEO_SOURCE: `filesrc location=${pictures} ! rawvideoparse format=i420 width=64 height=36 framerate=30/1`,
    AV_AUDIO_SRC: `filesrc location=${sound} ! rawaudioparse pcm-format=s16le sample-rate=${rateHz} num-channels=1`,
    AV_AUDIO_SAMPLING_RATE: rateHz,
    AV_VIDEO_WIDTH: 320,
    AV_VIDEO_HEIGHT: 180,
    AV_PREVIEW_INTERVAL: 0,
  };
  const { capture } = planPipeline(resolveSettings({ environment }), server, resolveProfile(server, profiles));
  const description = capture.description
    .replace(/(?<=flvmux [^!]*latency=)\d+/, '10000000000')
    .replace(/appsink name=tags[^!]*?max-buffers=1000/, `filesink location=${file}`)
    .replace(/audiotestsrc(?=[^!]*! audio\/x-raw,format=U8)/, 'audiotestsrc num-buffers=3')
    .replace(/appsink name=(?:luma|samples|ticks).*?drop=true/g, 'fakesink sync=false async=false');
  await run('gst-launch-1.0', ['-q', ...words(description)], { timeout: 30_000, killSignal: 'SIGKILL' });

  const apartMs = await tonesAfterFlashesMs(file);
  expect(apartMs.length).toBeGreaterThanOrEqual(seconds - 2);
  expect(Math.abs(middle(apartMs))).toBeLessThan(20);
});

/** gst-launch joins its arguments with spaces: quoted values stay whole as one argument without their quotes. */
function words(description: string): readonly string[] {
  return (description.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).map((word) => word.replaceAll('"', ''));
}

type Probed = {
  readonly codec_name: string;
  readonly profile: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_rate?: string;
};

async function probe(file: string) {
  const entries = 'stream=codec_type,codec_name,profile,width,height,sample_rate:packet=codec_type,pts_time';
  const { stdout } = await run('ffprobe', ['-v', 'error', '-of', 'json', '-show_entries', entries, file], { timeout: 20_000 });
  const { streams, packets } = JSON.parse(stdout) as {
    streams: readonly (Probed & { codec_type: string })[];
    packets: readonly { codec_type: string; pts_time: string }[];
  };
  const times = (type: string) => packets.filter((packet) => packet.codec_type === type).map((packet) => Number(packet.pts_time));
  return {
    video: streams.find((stream) => stream.codec_type === 'video'),
    audio: streams.find((stream) => stream.codec_type === 'audio'),
    videoTimes: times('video'),
    audioTimes: times('audio'),
  };
}

test.each([
  [90, 'top right'],
  [180, 'bottom right'],
  [270, 'bottom left'],
] as const)('turned by %i what was at the top left is at the %s', async (turn, corner) => {
  const settings = resolveSettings({ environment: { AV_VIDEO_ROTATE: turn } });
  const { description } = planPipeline(settings, server, resolveProfile(server, profiles)).capture;
  const flip = /videoflip \S+/.exec(description)?.[0] ?? 'no videoflip';
  const directory = await mkdtemp(join(tmpdir(), 'run-plan-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'picture.gray');
  const square = 'videotestsrc num-buffers=1 pattern=white ! video/x-raw,format=I420,width=40,height=40';
  const picture = `${square} ! videobox fill=black right=-600 bottom=-320 ! ${flip} ! videoconvert ! video/x-raw,format=GRAY8`;
  await run('gst-launch-1.0', ['-q', ...words(`${picture} ! filesink location=${file}`)], { timeout: 20_000, killSignal: 'SIGKILL' });
  const pixels = await readFile(file);
  const [width, height] = turn === 180 ? [640, 360] : [360, 640];
  const isWhite = (x: number, y: number) => (pixels[y * width + x] ?? 0) > 128;
  const corners = {
    'top left': isWhite(5, 5),
    'top right': isWhite(width - 6, 5),
    'bottom left': isWhite(5, height - 6),
    'bottom right': isWhite(width - 6, height - 6),
  };
  expect(Object.keys(corners).filter((name) => corners[name as keyof typeof corners])).toEqual([corner]);
});
