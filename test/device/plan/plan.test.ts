import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import type { DetectedHardware } from '#device/detect/facts.ts';
import { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { describePlan, planPipeline } from '#device/plan/plan.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { resolveProfile, withProfileLevels } from '#device/profile/resolve.ts';
import { resolveSettings, type SettingsByLevel } from '#device/settings/levels.ts';
import type { SettingValues } from '#protocol/settings.ts';
import { streamTargets } from '#protocol/stream-targets.ts';
import { c270, c920, camera, cameraModule, microphone, pi4, rawCamera, server, withDevices } from './hardware.ts';

const profiles = await loadProfiles();

function plan(hardware: DetectedHardware, levels: SettingsByLevel): PipelinePlan {
  const profile = resolveProfile(hardware, profiles);
  return planPipeline(resolveSettings(withProfileLevels(levels, hardware, profile)), hardware, profile);
}

const mux =
  'flvmux name=mux streamable=true latency=300000000 ! capssetter join=false replace=true caps=application/x-tags ! appsink name=tags sync=false max-buffers=1000';
const short = 'queue max-size-buffers=4 max-size-bytes=0 max-size-time=0';
const x264 =
  'x264enc name=encoder tune=zerolatency speed-preset=ultrafast dct8x8=true cabac=true key-int-max=60 ! video/x-h264,profile=high ! h264parse ! queue ! mux.';
const hardwareEncoder =
  'v4l2h264enc name=encoder extra-controls="controls,video_bitrate=2500000,h264_i_frame_period=60,repeat_sequence_header=1" ! video/x-h264,profile=high,level=(string)4 ! h264parse ! queue ! mux.';
const preview =
  'raw. ! videorate drop-only=true ! video/x-raw,framerate=1/5 ! queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 ! videoscale ! videoconvert ! video/x-raw,format=I420,width=640,height=360,pixel-aspect-ratio=1/1 ! capssetter join=false replace=true caps=application/x-picture ! appsink name=preview-pictures sync=false async=false max-buffers=1 drop=true';
const aac = (bitsPerSecond: number) =>
  `audioconvert ! audiofirfilter latency=1600 ! audioconvert dithering=none ! voaacenc bitrate=${bitsPerSecond} ! audio/mpeg,mpegversion=4,stream-format=raw ! queue ! mux.`;
const luma =
  'raw. ! videorate drop-only=true ! video/x-raw,framerate=1/1 ! queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 ! videoscale method=nearest-neighbour add-borders=false ! videoconvert ! video/x-raw,format=GRAY8,width=64,height=36 ! capssetter join=false replace=true caps=application/x-luma ! appsink name=luma sync=false async=false max-buffers=1 drop=true';
const samples =
  'heard. ! audiobuffersplit output-buffer-duration=1/2 ! queue leaky=downstream max-size-buffers=4 max-size-bytes=0 max-size-time=0 ! audioconvert ! audio/x-raw,format=S16LE,channels=2 ! capssetter join=false replace=true caps=application/x-samples ! appsink name=samples sync=false async=false max-buffers=4 drop=true';
const metronome =
  'audiotestsrc is-live=true wave=silence samplesperbuffer=4000 ! audio/x-raw,format=U8,rate=8000,channels=1 ! appsink name=ticks sync=false async=false max-buffers=4 drop=true';
const heard = (bitsPerSecond: number) => `tee name=heard heard. ! ${aac(bitsPerSecond)} ${samples} ${metronome}`;
const soundclock = (rateHz: number) =>
  `capssetter name=soundclock caps="audio/x-raw,rate=(int)${rateHz}" ! audiorate skip-to-first=true tolerance=200000000 ! audiobuffersplit output-buffer-duration=1/50 alignment-threshold=200000000 ! audioresample ! audio/x-raw,rate=${rateHz}`;
const generated = (wave: string, rateHz: number) =>
  `audiotestsrc is-live=true ${wave} ! audio/x-raw,format=S16LE,rate=${rateHz},channels=1`;
const tone = `${generated('wave=sine freq=440 volume=0.1', 16000)} ! ${heard(96000)}`;
const silence = `${generated('wave=silence', 16000).replace('channels=1', 'channels=2')} ! ${aac(96000)}`;
const microphoneAt = (card: string, rateHz: number, bitsPerSecond: number) =>
  `alsasrc name=microphone device="plughw:${card}" ! audio/x-raw,format=S16LE,rate=${rateHz} ! queue ! ${heard(bitsPerSecond)}`;
const clocks =
  'clockoverlay halignment=center valignment=center time-format="%H:%M:%S" font-desc="Sans Bold 60" shaded-background=true ! timeoverlay halignment=right valignment=bottom font-desc="Sans 20"';
const bars = 'videotestsrc is-live=true pattern=smpte75 horizontal-speed=2';
const i420 = 'video/x-raw,format=I420,width=1280,height=720,framerate=30/1';
const nv12 = i420.replace('I420', 'NV12');
const cameraI420 = 'video/x-raw,format=I420,width=1280,height=720,pixel-aspect-ratio=1/1';
const camera0 = 'v4l2src name=camera device="/dev/video0"';

type Row = { readonly name: string; readonly hardware: DetectedHardware; readonly environment: SettingValues; readonly pipeline: string };

const rows: readonly Row[] = [
  {
    name: 'no camera: the test picture and a tone',
    hardware: server,
    environment: {},
    pipeline: `${mux} ${bars} ! ${i420} ! ${clocks} ! tee name=raw raw. ! ${short} ! ${x264} ${preview} ${tone}`,
  },
  {
    name: 'no camera and no overlay elements: bars alone',
    hardware: { ...server, elements: new Set(['voaacenc', 'jpegenc', 'x264enc', 'capssetter', 'audiobuffersplit']) },
    environment: { AV_PREVIEW_INTERVAL: 0 },
    pipeline: `${mux} ${bars} ! ${i420} ! ${short} ! ${x264} ${tone}`,
  },
  {
    name: 'small, slow and without sound or preview',
    hardware: server,
    environment: {
      AV_VIDEO_WIDTH: 640,
      AV_VIDEO_HEIGHT: 360,
      AV_VIDEO_FRAMERATE: 10,
      AV_KEYFRAME_INTERVAL: 4,
      AV_DISABLE_AUDIO: true,
      AV_PREVIEW_INTERVAL: 0,
    },
    pipeline: `${mux} ${bars} ! video/x-raw,format=I420,width=640,height=360,framerate=10/1 ! ${clocks} ! ${short} ! ${x264.replace('key-int-max=60', 'key-int-max=40')}`,
  },
  {
    name: 'a raw camera without a microphone: silence',
    hardware: withDevices(server, [rawCamera]),
    environment: {},
    pipeline: `${mux} ${camera0} ! video/x-raw,format=YUY2,width=1280,height=720,framerate=30/1 ! videoconvert ! ${cameraI420} ! tee name=raw raw. ! ${short} ! ${x264} ${preview} ${luma} ${silence}`,
  },
  {
    name: 'a C270 at 720p30: MJPEG, and its own microphone at 32000 Hz before a card of a lower number',
    hardware: withDevices(server, [c270], [microphone(0), microphone(2, { cameraId: 'usb-c270' })]),
    environment: {},
    pipeline: `${mux} ${camera0} ! image/jpeg,width=1280,height=720,framerate=30/1 ! jpegdec ! videoconvert ! ${cameraI420} ! tee name=raw raw. ! ${short} ! ${x264} ${preview} ${luma} ${microphoneAt('2,0', 32000, 128000)}`,
  },
  {
    name: 'a C270 at 640x360: scaled from its least larger size of that shape, because 640x480 would leave black borders',
    hardware: withDevices(server, [c270]),
    environment: { AV_VIDEO_WIDTH: 640, AV_VIDEO_HEIGHT: 360, AV_PREVIEW_INTERVAL: 0, AV_DISABLE_AUDIO: true },
    pipeline: `${mux} ${camera0} ! image/jpeg,width=1280,height=720,framerate=30/1 ! jpegdec ! videoscale ! videoconvert ! video/x-raw,format=I420,width=640,height=360,pixel-aspect-ratio=1/1 ! tee name=raw raw. ! ${short} ! ${x264} ${luma}`,
  },
  {
    name: 'a rate that the camera has not: the next higher one, thinned out',
    hardware: withDevices(server, [c270]),
    environment: { AV_VIDEO_FRAMERATE: 20, AV_PREVIEW_INTERVAL: 0, AV_DISABLE_AUDIO: true },
    pipeline: `${mux} ${camera0} ! image/jpeg,width=1280,height=720,framerate=25/1 ! jpegdec ! videorate ! videoconvert ! ${cameraI420},framerate=20/1 ! tee name=raw raw. ! ${short} ! ${x264.replace('key-int-max=60', 'key-int-max=40')} ${luma}`,
  },
  {
    name: 'a C920 at a size that it encodes itself: parsed only',
    hardware: withDevices(server, [c920], [microphone(1, { cameraId: 'usb-c920' })]),
    environment: { AV_AUDIO_SAMPLING_RATE: 48000 },
    pipeline: `${mux} ${camera0} ! video/x-h264,width=1280,height=720,framerate=30/1 ! h264parse ! queue ! mux. ${microphoneAt('1,0', 48000, 128000)}`,
  },
  {
    name: 'a C920 at a size that it does not encode itself',
    hardware: withDevices(server, [c920]),
    environment: { AV_VIDEO_WIDTH: 960, AV_VIDEO_HEIGHT: 540, AV_PREVIEW_INTERVAL: 0, AV_DISABLE_AUDIO: true },
    pipeline: `${mux} ${camera0} ! image/jpeg,width=1280,height=720,framerate=30/1 ! jpegdec ! videoscale ! videoconvert ! video/x-raw,format=I420,width=960,height=540,pixel-aspect-ratio=1/1 ! tee name=raw raw. ! ${short} ! ${x264} ${luma}`,
  },
  {
    name: 'a rate of 29.97 goes through as it is',
    hardware: withDevices(server, [camera('ntsc', [{ pixelFormat: 'YU12', width: 1280, height: 720, frameRates: [29.97] }])]),
    environment: { AV_PREVIEW_INTERVAL: 0, AV_DISABLE_AUDIO: true },
    pipeline: `${mux} ${camera0} ! video/x-raw,format=I420,width=1280,height=720,framerate=30000/1001 ! tee name=raw raw. ! ${short} ! ${x264} ${luma}`,
  },
  {
    name: 'a camera on a Raspberry Pi 4: the hardware encoder, its bitrate set at start, the camera’s own format',
    hardware: withDevices(pi4, [rawCamera]),
    environment: { AV_PREVIEW_INTERVAL: 0, AV_DISABLE_AUDIO: true },
    pipeline: `${mux} ${camera0} ! video/x-raw,format=YUY2,width=1280,height=720,framerate=30/1 ! tee name=raw raw. ! ${short} ! ${hardwareEncoder} ${luma}`,
  },
  {
    name: 'odd sides are made even',
    hardware: server,
    environment: { AV_VIDEO_WIDTH: 641, AV_VIDEO_HEIGHT: 361, AV_PREVIEW_INTERVAL: 0, AV_DISABLE_AUDIO: true },
    pipeline: `${mux} ${bars} ! video/x-raw,format=I420,width=640,height=360,framerate=30/1 ! ${clocks} ! ${short} ! ${x264}`,
  },
];

test.each(rows)('$name', ({ hardware, environment, pipeline }) => {
  const planned = plan(hardware, { environment });
  expect(planned.capture.description).toBe(pipeline);
  expect(Compile(PipelinePlan).Check(planned)).toBe(true);
});

/** The six situations of the script that came before, under its names; what differs is said in each. */
const streamPy: readonly Row[] = [
  {
    name: 'A webcam with its own H.264, defaults (ours: the profile is not asked of the camera, the sound is the microphone found)',
    hardware: withDevices(server, [c920], [microphone(1)]),
    environment: { AV_STREAM_KEY: 'KEY' },
    pipeline: `${mux} ${camera0} ! video/x-h264,width=1280,height=720,framerate=30/1 ! h264parse ! queue ! mux. ${microphoneAt('1,0', 16000, 96000)}`,
  },
  {
    name: 'B webcam without H.264, defaults (ours: v4l2h264enc for omxh264enc, a keyframe each 2 s, 128 is kbit/s and cut to what AAC holds)',
    hardware: withDevices(pi4, [rawCamera], [microphone(1)]),
    environment: { AV_STREAM_URL: 'rtmp://h/live', AV_STREAM_KEY: 'KEY' },
    pipeline: `${mux} ${camera0} ! video/x-raw,format=YUY2,width=1280,height=720,framerate=30/1 ! tee name=raw raw. ! ${short} ! ${hardwareEncoder} ${preview} ${luma} ${microphoneAt('1,0', 16000, 96000)}`,
  },
  {
    name: 'C camera module, no microphone (ours: libcamerasrc for rpicamsrc, not turned round, silence for no sound at all)',
    hardware: withDevices(pi4, [cameraModule]),
    environment: { AV_STREAM_URL: 'rtmp://h/live', AV_STREAM_KEY: 'KEY' },
    pipeline: `${mux} libcamerasrc name=camera camera-name="/base/soc/i2c0mux/i2c@1/imx219@10" ! ${nv12},colorimetry=bt709,interlace-mode=progressive ! videoconvert ! ${nv12} ! tee name=raw raw. ! ${short} ! ${hardwareEncoder} ${preview} ${luma} ${silence}`,
  },
  {
    name: 'D camera module with a microphone (ours: the sampling rate and the card that were asked for, not 44100 Hz and card 1)',
    hardware: withDevices(pi4, [cameraModule], [microphone(1), microphone(2)]),
    environment: { AV_STREAM_URL: 'rtmp://h/live', AV_STREAM_KEY: 'KEY', AV_AUDIO_SAMPLING_RATE: 32000, AV_AUDIO_DEVICE: '2' },
    pipeline: `${mux} libcamerasrc name=camera camera-name="/base/soc/i2c0mux/i2c@1/imx219@10" ! ${nv12},colorimetry=bt709,interlace-mode=progressive ! videoconvert ! ${nv12} ! tee name=raw raw. ! ${short} ! ${hardwareEncoder} ${preview} ${luma} ${microphoneAt('2,0', 32000, 128000)}`,
  },
  {
    name: 'E webcam, a source of one’s own, no sound (ours: the source that was set wins over the webcam)',
    hardware: withDevices(pi4, [c920]),
    environment: {
      AV_STREAM_URL: 'rtmp://h/live',
      AV_VIDEO_SOURCE: 'videotestsrc',
      AV_DISABLE_AUDIO: true,
      AV_VIDEO_WIDTH: 640,
      AV_VIDEO_HEIGHT: 480,
      AV_PREVIEW_INTERVAL: 0,
    },
    pipeline: `${mux} videotestsrc ! clocksync ! videorate ! videoscale ! videoconvert ! video/x-raw,format=I420,width=640,height=480,framerate=30/1,pixel-aspect-ratio=1/1 ! tee name=raw raw. ! ${short} ! ${hardwareEncoder} ${luma}`,
  },
  {
    name: 'F camera module, sources and parser of one’s own (ours: "true" turns the sound off)',
    hardware: withDevices(server, [cameraModule]),
    environment: {
      AV_STREAM_URL: 'rtmp://h/live',
      AV_STREAM_KEY: 'K',
      AV_VIDEO_SOURCE: 'videotestsrc',
      AV_DISABLE_AUDIO: true,
      AV_H264_ENCODER_PARAMS: 'speed-preset=superfast',
      AV_H264_PARSER_PARAMS: 'config-interval=1',
      AV_AUDIO_SRC: 'audiotestsrc',
      AV_PREVIEW_INTERVAL: 0,
    },
    pipeline: `${mux} videotestsrc ! clocksync ! videorate ! videoscale ! videoconvert ! ${i420},pixel-aspect-ratio=1/1 ! tee name=raw raw. ! ${short} ! x264enc name=encoder tune=zerolatency dct8x8=true cabac=true key-int-max=60 speed-preset=superfast ! video/x-h264,profile=high ! h264parse config-interval=1 ! queue ! mux. ${luma}`,
  },
];

test('stream.py: E goes to the address with a slash behind it, as without a key it always did', () => {
  const environment = streamPy.find(({ name }) => name.startsWith('E '))?.environment ?? {};
  expect(plan(withDevices(pi4, [c920]), { environment }).outputs).toMatchObject([{ location: 'rtmp://h/live/' }]);
  expect(plan(pi4, {}).outputs).toMatchObject([{ location: 'rtmp://10.0.31.212/live/' }]);
});

test.each(streamPy)('stream.py: $name', ({ hardware, environment, pipeline }) => {
  expect(plan(hardware, { environment }).capture.description).toBe(pipeline);
});

test('an audio source of the environment’s own', () => {
  const { description } = plan(server, { environment: { AV_AUDIO_SRC: 'audiotestsrc wave=ticks' } }).capture;
  expect(description).toContain(
    ` audiotestsrc wave=ticks name=microphone ! clocksync ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=16000 ! ${soundclock(16000)} ! queue ! ${heard(96000)}`,
  );
});

test('a bitrate leaves the description as it is and is set while the encoder runs, in its own unit', () => {
  const before = plan(server, {});
  const after = plan(server, { device: { AV_VIDEO_BITRATE: 900 } });
  expect(after.capture).toEqual(before.capture);
  expect(before.live).toEqual([{ element: 'encoder', property: 'bitrate', value: 2500 }]);
  expect(after.live).toEqual([{ element: 'encoder', property: 'bitrate', value: 900 }]);

  const openh264Only = { ...server, encoders: server.encoders.filter((encoder) => encoder.element === 'openh264enc') };
  expect(plan(openh264Only, { device: { AV_VIDEO_BITRATE: 900 } }).live).toEqual([
    { element: 'encoder', property: 'bitrate', value: 900_000 },
  ]);
  expect(plan(pi4, {}).live).toEqual([]);
  expect(plan(withDevices(server, [c920]), {}).live).toEqual([]);
});

test.each([
  ['a key', { AV_STREAM_URL: 'rtmp://h/live', AV_STREAM_KEY: 'KEY' }, 'rtmp://h/live/KEY', 'rtmp://h/live'],
  [
    'no key: the sink takes the last part for a stream, so an empty one stands behind the application',
    { AV_STREAM_URL: 'rtmp://h/live' },
    'rtmp://h/live/',
    'rtmp://h/live',
  ],
  ['no key, and the slash', { AV_STREAM_URL: 'rtmp://h/live/' }, 'rtmp://h/live/', 'rtmp://h/live'],
  ['no key, and a query', { AV_STREAM_URL: 'rtmp://h/live?t=1' }, 'rtmp://h/live?t=1/', 'rtmp://h/live'],
  ['a slash too many', { AV_STREAM_URL: 'rtmp://h/live/', AV_STREAM_KEY: 'KEY' }, 'rtmp://h/live/KEY', 'rtmp://h/live'],
  [
    'a key with an argument',
    { AV_STREAM_URL: 'rtmp://h:1935/live', AV_STREAM_KEY: 'd1?key=s' },
    'rtmp://h:1935/live/d1?key=s',
    'rtmp://h:1935/live',
  ],
  ['user, password and query', { AV_STREAM_URL: 'rtmps://u:p@h/a?t=1', AV_STREAM_KEY: 'K' }, 'rtmps://u:p@h/a?t=1/K', 'rtmps://h/a'],
  ['a key inside the address', { AV_STREAM_URL: 'rtmp://h/live2/abcd-efgh' }, 'rtmp://h/live2/abcd-efgh', 'rtmp://h/live2/…'],
])('the output with %s', (_name, environment, location, target) => {
  expect(plan(server, { environment }).outputs).toEqual([{ id: 'rtmp', kind: 'rtmp', location, target }]);
});

test('the bitrate follows the uplink where the encoder can follow and somebody wants it to', () => {
  const bounds = { element: 'encoder', property: 'bitrate', minimumKbps: 400, maximumKbps: 2500 };
  expect(plan(server, {}).adaptive).toEqual({ ...bounds, unitsPerKbps: 1 });
  expect(plan(server, { device: { AV_VIDEO_BITRATE: 300 } }).adaptive).toMatchObject({ minimumKbps: 300, maximumKbps: 300 });
  const openh264Only = { ...server, encoders: server.encoders.filter((encoder) => encoder.element === 'openh264enc') };
  expect(plan(openh264Only, { fleet: { AV_VIDEO_BITRATE_MIN: 800 } }).adaptive).toEqual({
    ...bounds,
    minimumKbps: 800,
    unitsPerKbps: 1000,
  });
  expect(plan(server, { device: { AV_ADAPTIVE_BITRATE: false } }).adaptive).toBeUndefined();
  const control = { property: 'video_bitrate', controlId: 0x9909cf, unitsPerKbps: 1000 };
  expect(plan(pi4, {}).adaptive).toEqual({ ...bounds, ...control });
  expect(plan(pi4, {}).live).toEqual([]);
  expect(plan(pi4, { device: { AV_ADAPTIVE_BITRATE: false } }).adaptive).toBeUndefined();
});

test('an Icecast server gets the sound, where there is one, and its password is shown nowhere', () => {
  const environment = { AV_ICECAST_URL: 'icecast://source:sesame@radio:8000/live.ogg' };
  const planned = plan(server, { environment });
  expect(planned.outputs.at(-1)).toEqual({
    id: 'icecast',
    kind: 'icecast',
    target: 'icecast://radio:8000/live.ogg',
    location: environment.AV_ICECAST_URL,
    name: '',
  });
  expect(plan(server, { environment, device: { AV_ROOM_NAME: 'Room 3' } }).outputs.at(-1)).toMatchObject({ name: 'Room 3' });
  expect(describePlan(planned)).not.toContain('sesame');
  expect(plan(server, { environment: { ...environment, AV_DISABLE_AUDIO: true } }).outputs).toHaveLength(1);
});

test('each further address is an output of its own, and the same target twice is one', () => {
  const { outputs } = plan(server, {
    environment: { AV_STREAM_URL: 'rtmp://h/live', AV_STREAM_KEY: 'K', AV_STREAM_KEY_2: 'of no address' },
    fleet: { AV_STREAM_URL_3: 'rtmps://tube/live2', AV_STREAM_KEY_3: 'T', AV_STREAM_URL_4: 'rtmp://h/live/', AV_STREAM_KEY_4: 'K' },
  });
  expect(outputs).toEqual([
    { id: 'rtmp', kind: 'rtmp', location: 'rtmp://h/live/K', target: 'rtmp://h/live' },
    { id: 'rtmp-3', kind: 'rtmp', location: 'rtmps://tube/live2/T', target: 'rtmps://tube/live2' },
  ]);
});

test('nine targets at once, each with its own key', () => {
  const further = streamTargets.map(({ number, address, key }) => ({ [address]: `rtmp://host-${number}/live`, [key]: `K${number}` }));
  const { outputs } = plan(server, { environment: Object.assign({}, ...further) });
  expect(outputs).toMatchObject([
    { id: 'rtmp', location: 'rtmp://host-1/live/K1' },
    ...[2, 3, 4, 5, 6, 7, 8, 9].map((number) => ({ id: `rtmp-${number}`, location: `rtmp://host-${number}/live/K${number}` })),
  ]);
});

test.each([
  [{ AV_RECORD: true }, { directory: null, segmentS: 600 }],
  [
    { AV_RECORD: true, AV_RECORD_DIR: '/media/disk', AV_RECORD_SEGMENT: 1 },
    { directory: '/media/disk', segmentS: 60 },
  ],
])('a recording: %o', (environment, expected) => {
  const { outputs } = plan(server, { environment });
  expect(outputs.slice(1)).toEqual([{ id: 'recording', kind: 'recording', target: 'recordings on the device', ...expected }]);
});

test('neither the description nor its text for logs holds the key', () => {
  const planned = plan(server, { environment: { AV_STREAM_URL: 'rtmp://user:hush@h/live', AV_STREAM_KEY: 'sesame' } });
  expect(planned.capture.description).not.toMatch(/sesame|hush/);
  expect(describePlan(planned)).not.toMatch(/sesame|hush/);
  expect(describePlan(planned)).toContain('output rtmp: rtmp://h/live');
});

test('the source, as screens name it', () => {
  expect(plan(server, {}).capture.source).toEqual({ kind: 'test', id: 'test', label: 'Test picture' });
  expect(plan(withDevices(server, [c270]), {}).capture.source).toEqual({ kind: 'camera', id: 'usb-c270', label: 'C270 HD WEBCAM' });
  expect(plan(server, { environment: { AV_VIDEO_SOURCE: 'videotestsrc pattern=snow' } }).capture.source).toEqual({
    kind: 'element',
    id: 'environment',
    label: 'videotestsrc',
  });
  expect(plan(server, { device: { AV_VIDEO_SOURCE: 'usb-gone' } }).capture.source).toEqual({
    kind: 'test',
    id: 'test',
    label: 'Test picture: no camera "usb-gone": expected test, because no camera was found',
  });
});

test('a camera’s path cannot leave its quotes', () => {
  const odd = camera('odd', rawCamera.modes, { path: '/dev/a" ! filesink location="/etc/x\\' });
  expect(plan(withDevices(server, [odd]), {}).capture.description).toContain('device="/dev/a\\" ! filesink location=\\"/etc/x\\\\" !');
});

test.each([
  [1920, 1080, 640, 360],
  [1080, 1920, 360, 640],
  [640, 480, 640, 480],
  [320, 240, 320, 240],
  [854, 480, 640, 360],
  [3840, 90, 640, 16],
])('a preview of %ix%i has %ix%i', (width, height, previewWidth, previewHeight) => {
  const { description } = plan(server, { device: { AV_VIDEO_WIDTH: width, AV_VIDEO_HEIGHT: height, AV_PREVIEW_INTERVAL: 3 } }).capture;
  expect(description).toContain('video/x-raw,framerate=1/3');
  expect(description).toContain(`videoscale ! videoconvert ! video/x-raw,format=I420,width=${previewWidth},height=${previewHeight},`);
});

test('previews have a pipeline of their own, and none where nobody wants them', () => {
  expect(plan(server, {}).preview).toEqual({
    ...{ id: 'preview', kind: 'preview', target: 'pictures for the dashboard', intervalS: 5, missing: null },
    encoder: {
      description:
        'appsrc name=pictures format=time is-live=true do-timestamp=true max-bytes=0 caps=video/x-raw,format=I420,width=640,height=360,framerate=0/1 ! jpegenc quality=70 ! capssetter join=false replace=true caps=image/jpeg ! appsink name=preview sync=false max-buffers=1 drop=true',
      pictureBytes: 345_600,
    },
  });
  expect(plan(server, { environment: { AV_PREVIEW_INTERVAL: 0 } })).not.toHaveProperty('preview');
});

test.each([
  [640, 480, 460_800],
  [322, 180, 87_840],
])('a picture of %ix%i, of which each line begins at a multiple of four, has %i bytes', (width, height, pictureBytes) => {
  expect(plan(server, { device: { AV_VIDEO_WIDTH: width, AV_VIDEO_HEIGHT: height } }).preview?.encoder?.pictureBytes).toBe(pictureBytes);
});

test('previews that cannot be had say why, and what gives the stream is as it was', () => {
  const without = (name: string): DetectedHardware => ({
    ...server,
    elements: new Set([...server.elements].filter((element) => element !== name)),
  });
  const planned = plan(without('jpegenc'), {});
  expect(planned.preview).toMatchObject({
    encoder: null,
    missing: 'GStreamer has no JPEG encoder here: install gstreamer1.0-plugins-good (jpegenc)',
  });
  expect(planned.capture.description).not.toContain('preview');
  const blind = plan(withDevices({ ...server, elements: new Set(['jpegenc', 'x264enc']) }, [c920]), {});
  expect(blind.preview).toMatchObject({ encoder: { pictureBytes: 345_600 }, missing: expect.stringContaining('no H.264 decoder here') });
  expect(plan(withDevices(server, [c920]), {}).preview).toMatchObject({ missing: null });
});

test.each([
  [16000, 128, 96000],
  [48000, 128, 128000],
  [48000, 320000, 288000],
  [8000, 64, 48000],
  [44100, 96000, 96000],
])('at %i Hz an audio bitrate of %i becomes %i bit/s', (rateHz, wanted, bitsPerSecond) => {
  const { description } = plan(server, { device: { AV_AUDIO_SAMPLING_RATE: rateHz, AV_AUDIO_BITRATE: wanted } }).capture;
  expect(description).toContain(
    `rate=${rateHz},channels=1 ! tee name=heard heard. ! audioconvert ! audiofirfilter latency=1600 ! audioconvert dithering=none ! voaacenc bitrate=${bitsPerSecond} !`,
  );
});

test('a machine of which nothing is known is planned all the same', () => {
  const unknown: DetectedHardware = { ...server, encoders: [], elements: new Set(), board: { model: null, architecture: 'mips' } };
  const planned = plan(unknown, {});
  expect(planned.capture).toMatchObject({ encoder: 'x264enc', source: { kind: 'test' }, hasAudio: true });
});

const card = (words: string) =>
  `videotestsrc is-live=true pattern=solid-color foreground-color=0xff1c2733 ! ${i420} ! textoverlay name=card text="${words}" halignment=center valignment=center line-alignment=center font-desc="Sans Bold 24"`;
const encodedCard = (words: string) => `${mux} ${card(words)} ! tee name=raw raw. ! ${short} ! ${x264} ${preview} ${silence}`;

test('a camera has a card in its size, encoding and sound, and a picture without its microphone', () => {
  const planned = plan(withDevices(server, [rawCamera], [microphone(1)]), { environment: { AV_ROOM_NAME: 'Hall "A"' } }).capture;
  expect(planned.card).toEqual({
    description: encodedCard('No signal'),
    live: [{ element: 'encoder', property: 'bitrate', value: 2500 }],
    title: 'Hall "A"',
  });
  const silent = plan(withDevices(server, [rawCamera]), { environment: {} }).capture;
  expect(planned.withoutMicrophone).toEqual({
    description: silent.description,
    probe: 'alsasrc name=microphone device="plughw:1,0" ! appsink name=sound sync=false max-buffers=1 drop=true',
  });
  expect(silent.withoutMicrophone).toBeUndefined();
});

test('a camera that gives H.264 itself has a card all the same, with a bitrate of its own', () => {
  const planned = plan(withDevices(server, [c920]), { environment: { AV_VIDEO_BITRATE: 900 } });
  expect(planned.live).toEqual([]);
  expect(planned.capture.card?.live).toEqual([{ element: 'encoder', property: 'bitrate', value: 900 }]);
});

test('a test picture has none', () => {
  expect(plan(server, { environment: {} }).capture).not.toHaveProperty('card');
});

test('without sound the card has none', () => {
  const planned = plan(withDevices(server, [rawCamera], [microphone(1)]), { environment: { AV_DISABLE_AUDIO: true } }).capture;
  expect(planned.card?.description).not.toContain('audiotestsrc');
  expect(planned).not.toHaveProperty('withoutMicrophone');
});

test('a chosen camera that nobody has seen: the card itself, with the room’s name', () => {
  const profile = resolveProfile(server, profiles);
  const settings = resolveSettings(withProfileLevels({ environment: { AV_ROOM_NAME: 'Hall "A"' } }, server, profile));
  const { capture, live } = planPipeline(settings, server, profile, 'usb-<b>&"\\');
  expect(capture).toMatchObject({
    description: encodedCard('No signal'),
    source: { kind: 'no-signal', id: 'usb-<b>&"\\', label: 'No signal: usb-<b>&"\\ is not there' },
  });
  expect(capture.card).toEqual({ description: capture.description, live, title: 'Hall "A"' });
});

test('slides over an HDMI stick stand still and may be black: nobody is told of it', () => {
  const usb = c270.usb === null ? null : { ...c270.usb, id: '534d:2109' };
  const { description } = plan(withDevices(server, [{ ...c270, id: 'usb-stick', name: 'USB Video', usb }]), {}).capture;
  expect(description).toContain('appsink name=preview-pictures');
  expect(description).not.toContain('appsink name=luma');
});
