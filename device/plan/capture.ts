/**
 * The parts of a capture description.
 *
 * INVARIANTS
 * - Only numbers, names from a profile or from the facts, and pairs that passed acceptance are put in; whatever is text
 *   stands in quotes. The two exceptions, a source element and an audio source element, come from the device's own
 *   environment alone.
 * - No secret is ever part of it.
 * - Every queue has a bound; no branch that looks at the picture holds up anything.
 */
import type { CameraMode } from '#device/plan/camera-mode.ts';
import type { Turn } from '#device/plan/choose-picture.ts';
import { isSameRate, type Picture } from '#device/plan/picture.ts';

export const rawTee = 'raw';

/** About ten seconds of tags: when nobody takes them the capture stands still instead of filling the memory. */
const tagBuffers = 1000;

/**
 * How long the muxer waits for the side that is late. Without it, sound that arrives one buffer ahead of the picture makes the
 * muxer push the picture's timestamps up onto the sound's (seen: gaps of 0 and 65 ms in turn). Nothing is held back while
 * both sides have data.
 */
const muxerLatencyNs = 300_000_000;

/** In front of what is pulled, the muxer's caps are laid aside: they hold all headers, and the binding copies them with each tag. */
export function muxer(elements: ReadonlySet<string>): string {
  const bare = elements.size === 0 || elements.has('capssetter') ? ` ! ${bareCaps('application/x-tags')}` : '';
  return `flvmux name=mux streamable=true latency=${muxerLatencyNs}${bare} ! appsink name=tags sync=false max-buffers=${tagBuffers}`;
}

/** As a quoted value of a property in a description. */
export function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

export function rawCaps(picture: Picture): string {
  return `video/x-raw,format=I420,width=${picture.width},height=${picture.height},framerate=${picture.framesPerSecond}/1`;
}

/**
 * Colour bars that move by two pixels a frame, the time of day in the middle, the running time below. Without the
 * overlay elements (a package of their own) the bars move alone.
 */
export function testPicture(picture: Picture, elements: ReadonlySet<string>): string {
  const parts = [`videotestsrc is-live=true pattern=smpte75 horizontal-speed=2 ! ${rawCaps(picture)}`];
  if (elements.has('clockoverlay')) {
    parts.push('clockoverlay halignment=center valignment=center time-format="%H:%M:%S" font-desc="Sans Bold 60" shaded-background=true');
  }
  if (elements.has('timeoverlay')) parts.push('timeoverlay halignment=right valignment=bottom font-desc="Sans 20"');
  return parts.join(' ! ');
}

/**
 * The "no signal" card. The media host changes its text while it stands in for a camera; without the overlay elements it is a
 * plain dark picture. Nothing in it moves, so it costs the network next to nothing. The text is Pango's markup.
 */
export function cardPicture(picture: Picture, elements: ReadonlySet<string>): string {
  const plain = `videotestsrc is-live=true pattern=solid-color foreground-color=0xff1c2733 ! ${rawCaps(picture)}`;
  if (elements.size > 0 && !elements.has('textoverlay')) return plain;
  return `${plain} ! textoverlay name=card text="No signal" halignment=center valignment=center line-alignment=center font-desc="Sans Bold 24"`;
}

/** A camera's own H.264, to be parsed only; keyframe-look.ts is how somebody sees it. */
export function nativeH264(devicePath: string, mode: CameraMode): string {
  return `v4l2src name=camera device=${quote(devicePath)} ! ${modeCaps('video/x-h264', mode)}`;
}

/**
 * A camera's pictures in the wanted size and rate; steps that are not needed are left out. They are I420, unless the encoder
 * takes the camera's own format as it is.
 */
export function cameraPictures(devicePath: string, mode: CameraMode | null, picture: Picture, encoderFormats: readonly string[]): string {
  const source = `v4l2src name=camera device=${quote(devicePath)}`;
  if (mode === null) return `${source} ! ${anyPictures(picture)}`;
  const isSizeRight = mode.width === picture.width && mode.height === picture.height;
  const isRateRight = isSameRate(mode.framesPerSecond, picture.framesPerSecond);
  const format = encoderFormats.includes(mode.format) ? mode.format : 'I420';
  const steps = [
    ...(isRateRight ? [] : ['videorate']),
    ...(isSizeRight ? [] : ['videoscale']),
    ...(mode.format === format ? [] : ['videoconvert']),
  ];
  // A rate that was right is not asked for again: 29.97 goes through as it is.
  const rate = isRateRight ? '' : `,framerate=${picture.framesPerSecond}/1`;
  const wanted = `video/x-raw,format=${format},width=${picture.width},height=${picture.height},pixel-aspect-ratio=1/1${rate}`;
  const taken =
    mode.encoding === 'mjpeg' ? `${modeCaps('image/jpeg', mode)} ! jpegdec` : modeCaps(`video/x-raw,format=${mode.format}`, mode);
  // Caps may not follow on caps.
  return [source, taken, ...(steps.length === 0 ? [] : [...steps, wanted])].join(' ! ');
}

/**
 * Without a name it is the first camera that libcamera lists, and that may be a webcam. The colours are named because the
 * hardware encoder refuses what libcamera would choose for itself (ArduCAM/Arducam-Pivariety-V4L2-Driver#15).
 */
export function libcameraPictures(cameraName: string, picture: Picture, encoderFormats: readonly string[]): string {
  const { width, height, framesPerSecond } = picture;
  const source = cameraName === '' ? 'libcamerasrc name=camera' : `libcamerasrc name=camera camera-name=${quote(cameraName)}`;
  const size = `width=${width},height=${height},framerate=${framesPerSecond}/1`;
  const format = encoderFormats.includes('NV12') ? 'NV12' : 'I420';
  return `${source} ! video/x-raw,format=NV12,${size},colorimetry=bt709,interlace-mode=progressive ! videoconvert ! video/x-raw,format=${format},${size}`;
}

/** Not by the older property `method`: GStreamer 1.22.0 takes it in a description and turns nothing. */
const turnDirections: Readonly<Record<Exclude<Turn, 0>, string>> = { 90: '90r', 180: '180', 270: '90l' };

/** The same pictures turned clockwise. */
export function turned(pictures: string, turn: Turn): string {
  return turn === 0 ? pictures : `${pictures} ! videoflip video-direction=${turnDirections[turn]}`;
}

/** What a turn makes of a size. */
export function turnedPicture(picture: Picture, turn: Turn): Picture {
  return turn === 90 || turn === 270 ? { ...picture, width: picture.height, height: picture.width } : picture;
}

/** A source in words of the device's own environment. The clock keeps one that is not live from running ahead. */
export function elementPictures(description: string, picture: Picture): string {
  return `${description} ! clocksync ! ${anyPictures(picture)}`;
}

/**
 * The media host feeds what it reads of the file, each packet with its time on one line over all rounds. From the clock on it is
 * a camera: a picture stays until the next one is due, whatever the file's own rate. Half a picture's time early, so that one that
 * is due with the beat is there for it each time.
 */
export function filePictures(picture: Picture): string {
  const { width, height, framesPerSecond } = picture;
  const early = Math.round(1e9 / framesPerSecond / 2);
  return [
    'appsrc name=file-pictures format=time max-bytes=0 caps=application/x-gdp ! gdpdepay ! decodebin',
    `clocksync ts-offset=-${early}`,
    'videoflip video-direction=auto ! videoscale ! videoconvert',
    `video/x-raw,format=I420,width=${width},height=${height},pixel-aspect-ratio=1/1`,
    'imagefreeze is-live=true allow-replace=true',
    rawCaps(picture),
  ].join(' ! ');
}

/** What these need beside what every description needs. */
export const fileElements = ['gdppay', 'gdpdepay', 'decodebin', 'clocksync', 'videoflip', 'imagefreeze'];

function anyPictures(picture: Picture): string {
  return `videorate ! videoscale ! videoconvert ! ${rawCaps(picture)},pixel-aspect-ratio=1/1`;
}

function modeCaps(type: string, mode: CameraMode): string {
  const rate = fraction(mode.framesPerSecond);
  return `${type},width=${mode.width},height=${mode.height}${rate === null ? '' : `,framerate=${rate}`}`;
}

/** 30 as 30/1, 7.5 as 15/2, 29.97 as 30000/1001; null where the rate is none of these kinds. */
function fraction(framesPerSecond: number): string | null {
  for (const [scale, denominator] of [
    [1, 1],
    [2, 2],
    [1001, 1001],
  ] as const) {
    const numerator = denominator === 1001 ? Math.round((framesPerSecond * scale) / 1000) * 1000 : Math.round(framesPerSecond * scale);
    if (numerator > 0 && Math.abs(numerator / denominator - framesPerSecond) < 0.002) return `${numerator}/${denominator}`;
  }
  return null;
}

/** What comes behind it and is slow loses pictures, and none wait. */
export const oneWaits = 'queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0';

/** A name of its own and nothing else: a fraction or a channel mask in the caps of what is pulled leaks in the binding, each time. */
export const bareCaps = (name: string) => `capssetter join=false replace=true caps=${name}`;

/** What the branches below need beside what every description needs. */
export const pictureProbeElements = ['capssetter'];
export const soundProbeElements = ['capssetter', 'audiobuffersplit'];

const probeWidth = 64;
const probeHeight = 36;

/**
 * Of each sink but that of the tags: the pipeline does not wait for its first buffer to run. Where the first sound is late, as on a board that stood still
 * for a moment, all would wait for each other: the first tag for the pipeline, the pipeline for the sound, and the sound for the muxer.
 */
export const besideTags = 'sync=false async=false';

/** A small grey copy each second, for finding a black or frozen picture. The rate is cut first. */
export function pictureProbe(): string {
  return `${rawTee}. ! videorate drop-only=true ! video/x-raw,framerate=1/1 ! ${oneWaits} ! ${probePictures()}`;
}

/** From raw pictures to the copies. The scaler takes single points, so that a camera's noise stays and costs next to nothing. */
export function probePictures(): string {
  return [
    `videoscale method=nearest-neighbour add-borders=false ! videoconvert ! video/x-raw,format=GRAY8,width=${probeWidth},height=${probeHeight}`,
    bareCaps('application/x-luma'),
    `appsink name=luma ${besideTags} max-buffers=1 drop=true`,
  ].join(' ! ');
}

const soundTee = 'heard';

/** Half a second of samples at a time, so that a microphone's hundred buffers a second wake nobody up. */
function soundProbe(): string {
  return [
    `${soundTee}. ! audiobuffersplit output-buffer-duration=1/2`,
    'queue leaky=downstream max-size-buffers=4 max-size-bytes=0 max-size-time=0',
    'audioconvert ! audio/x-raw,format=S16LE,channels=2',
    bareCaps('application/x-samples'),
    `appsink name=samples ${besideTags} max-buffers=4 drop=true`,
  ].join(' ! ');
}

/** A buffer each half second of the pipeline's own clock, by which the pictures are stamped: what the sound is compared with. */
const metronome = `audiotestsrc is-live=true wave=silence samplesperbuffer=4000 ! audio/x-raw,format=U8,rate=8000,channels=1 ! appsink name=ticks ${besideTags} max-buffers=4 drop=true`;

const aacRates: readonly number[] = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000];
export const audioRates = aacRates;

/** AAC has at most 6144 bits a frame of 1024 samples and channel (ISO/IEC 14496-3); asked for more, voaacenc falls to a sixth. */
const maximumBitsPerSample = 6;

export type AudioFormat = { readonly rateHz: number; readonly bitsPerSecond: number };

export function audioFormat(wantedRateHz: number, wantedBitsPerSecond: number): AudioFormat {
  const nearest = aacRates.reduce((best, rate) => (Math.abs(rate - wantedRateHz) < Math.abs(best - wantedRateHz) ? rate : best));
  return { rateHz: nearest, bitsPerSecond: Math.min(wantedBitsPerSecond, maximumBitsPerSample * nearest) };
}

export type AudioUse = { readonly format: AudioFormat; readonly hasProbe: boolean };

/**
 * voaacenc gives the sound 1600 samples later than it took it, at any rate (measured), and does not say so: a tenth of a second at
 * 16 kHz. A filter that does nothing and claims to be late by as much sets the time right; what comes out of it needs no dither.
 */
const encoderDelay = 'audioconvert ! audiofirfilter latency=1600 ! audioconvert dithering=none';

function aac(format: AudioFormat): string {
  return `${encoderDelay} ! voaacenc bitrate=${format.bitsPerSecond} ! audio/mpeg,mpegversion=4,stream-format=raw ! queue ! mux.`;
}

/** From raw sound to the muxer, with a look at its levels on the way. */
function encodedSound({ format, hasProbe }: AudioUse): string {
  return hasProbe ? `tee name=${soundTee} ${soundTee}. ! ${aac(format)} ${soundProbe()} ${metronome}` : aac(format);
}

function generatedSound(wave: string, format: AudioFormat, channels: number): string {
  return `audiotestsrc is-live=true ${wave} ! audio/x-raw,format=S16LE,rate=${format.rateHz},channels=${channels}`;
}

/** 440 Hz, quiet: a tenth of full scale is -20 dBFS. */
export function tone(use: AudioUse): string {
  return `${generatedSound('wave=sine freq=440 volume=0.1', use.format, 1)} ! ${encodedSound(use)}`;
}

/**
 * In the layout of the microphone that it stands in for: alsasrc asks for two channels, and `plughw` gives them whatever there is.
 * It has no levels to look at, and nobody is told that it is silent.
 */
export function silence({ format }: AudioUse): string {
  return `${generatedSound('wave=silence', format, 2)} ! ${aac(format)}`;
}

/**
 * The file's own sound, or silence where it has none: the media host sees to it that samples are always there. The muxer lets it
 * run ahead of the pictures by no more than its queue holds. A clocksync would do the same, and has been seen to let nothing
 * through at all after one start in six (GStreamer 1.22.0).
 */
export function fileSound(use: AudioUse): string {
  const format = `audio/x-raw,format=S16LE,layout=interleaved,rate=${use.format.rateHz},channels=2,channel-mask=(bitmask)0x3`;
  return `appsrc name=file-sound format=time max-bytes=0 caps=${quote(format)} ! ${encodedSound(use)}`;
}

/** The media host knows a lost microphone by this name. */
const microphoneName = 'microphone';

/** `plughw` lets ALSA convert where the microphone has not the wanted rate or format. */
export function microphoneSound(card: number, device: number, use: AudioUse): string {
  return `${alsaSource(card, device)} ! audio/x-raw,format=S16LE,rate=${use.format.rateHz} ! queue ! ${encodedSound(use)}`;
}

export function microphoneProbe(card: number, device: number): string {
  return `${alsaSource(card, device)} ! ${probeEnd}`;
}

export function elementProbe(description: string): string {
  return `${named(description)} ! ${probeEnd}`;
}

const probeEnd = 'appsink name=sound sync=false max-buffers=1 drop=true';

function alsaSource(card: number, device: number): string {
  return `alsasrc name=${microphoneName} device=${quote(`plughw:${card},${device}`)}`;
}

/** The source, the first element, gets the microphone's name unless it has one. */
function named(description: string): string {
  const [source = '', ...rest] = description.split(/(?= !)/);
  return [/\sname=/.test(source) ? source : `${source} name=${microphoneName}`, ...rest].join('');
}

/**
 * Its sound may come by a clock of its own. `soundclock` can be told at which rate it really comes; the second resampler then
 * makes of it what the picture needs, and does nothing at all until then. Each new rate would start its times anew, at those of
 * arrival: audiorate counts on instead, and fills up what was really lost.
 */
export function elementSound(description: string, use: AudioUse): string {
  const rate = use.format.rateHz;
  const converted = `clocksync ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=${rate}`;
  const kept = use.hasProbe
    ? ` ! capssetter name=soundclock caps="audio/x-raw,rate=(int)${rate}" ! audiorate skip-to-first=true tolerance=200000000 ! audiobuffersplit output-buffer-duration=1/50 alignment-threshold=200000000 ! audioresample ! audio/x-raw,rate=${rate}`
    : '';
  return `${named(description)} ! ${converted}${kept} ! queue ! ${encodedSound(use)}`;
}
