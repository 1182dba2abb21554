/**
 * A JPEG picture of a keyframe, in a process of its own: a decoder that crashes over what a camera sent harms nothing. Nothing
 * of it touches the disk.
 */
import { spawn } from 'node:child_process';
import { passedEnvironment } from '#device/media/host-process.ts';
import { parseTag, writeTimestamp } from '#device/media-host/flv.ts';
import { upwardTopics } from '#protocol/topics.ts';

export type StillPictureOutcome =
  | { readonly kind: 'picture'; readonly jpeg: Buffer; readonly width: number; readonly height: number; readonly isHalved: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

/** Less and less until it fits into a message. The last is what even a picture of noise in 4K passes. */
const tries = [
  { quality: 85, isHalved: false },
  { quality: 60, isHalved: false },
  { quality: 35, isHalved: false },
  { quality: 35, isHalved: true },
  { quality: 10, isHalved: true },
] as const;

/** One picture: a Pi Zero takes two seconds, most of them for starting. */
const boundMs = 15_000;
/** The size of an FLV tag, behind it. */
const trailerBytes = 4;
/** Of a picture that is too large anyway. */
const maxOutputBytes = 8 * 1024 * 1024;
const longestReason = 300;

/** By software first: the hardware's decoders want more than one picture. `decodebin` takes whatever else there is. */
const decoders = ['openh264dec', 'decodebin'] as const;

export async function stillPicture(keyframe: Buffer): Promise<StillPictureOutcome> {
  const flv = withPictureTwice(keyframe);
  if (flv === null) return { kind: 'failed', reason: 'expected an FLV file that ends in a keyframe' };
  let reason = '';
  for (const decoder of decoders) {
    const outcome = await inBounds(flv, decoder);
    if (outcome.kind === 'picture') return outcome;
    reason = outcome.reason;
  }
  return { kind: 'failed', reason };
}

const shortMs = 40;

/**
 * A decoder of H.264 may hold a picture back until the next one has come (openh264dec does so with everything above the
 * Baseline profile, and finds at the end of the stream that it has decoded none). The first that comes out is taken.
 */
function withPictureTwice(flv: Buffer): Buffer | null {
  const tagBytes = flv.length < trailerBytes ? 0 : flv.readUInt32BE(flv.length - trailerBytes);
  const copy = Buffer.from(flv.subarray(Math.max(0, flv.length - trailerBytes - tagBytes)));
  const tag = parseTag(copy);
  if (tag === null || !tag.isKeyframe || tag.bytes.length === flv.length) return null;
  writeTimestamp(copy, tag.timestampMs + shortMs);
  return Buffer.concat([flv, copy]);
}

async function inBounds(flv: Buffer, decoder: string): Promise<StillPictureOutcome> {
  const { maxBytes } = upwardTopics.snapshot;
  let whole: Size | null = null;
  let bytes = 0;
  for (const { quality, isHalved } of tries) {
    const scaled =
      isHalved && whole !== null ? ['videoscale', '!', `video/x-raw,width=${half(whole.width)},height=${half(whole.height)}`, '!'] : [];
    const outcome = await encode(flv, [decoder, '!', 'videoconvert', '!', ...scaled, 'jpegenc', 'snapshot=true', `quality=${quality}`]);
    if (outcome.kind === 'failed') return outcome;
    const size = jpegSize(outcome.jpeg);
    if (size === null) return { kind: 'failed', reason: 'what came out is no JPEG picture' };
    if (outcome.jpeg.length <= maxBytes) return { kind: 'picture', jpeg: outcome.jpeg, ...size, isHalved };
    whole ??= size;
    bytes = outcome.jpeg.length;
  }
  return { kind: 'failed', reason: `expected a picture of at most ${maxBytes} bytes, got ${bytes} at the lowest quality` };
}

function half(side: number): number {
  return Math.max(16, Math.round(side / 4) * 2);
}

type Encoded = { readonly kind: 'jpeg'; readonly jpeg: Buffer } | { readonly kind: 'failed'; readonly reason: string };

function encode(flv: Buffer, steps: readonly string[]): Promise<Encoded> {
  return new Promise((resolve) => {
    const command = ['-q', 'fdsrc', 'fd=0', '!', 'flvdemux', '!', 'h264parse', '!', ...steps, '!', 'fdsink', 'fd=1'];
    const child = spawn('gst-launch-1.0', command, { stdio: ['pipe', 'pipe', 'pipe'], env: passedEnvironment() });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let complaints = '';
    let ownReason: string | null = null;
    const end = (why: string): void => {
      ownReason ??= why;
      child.kill('SIGKILL');
    };
    const bound = setTimeout(() => end(`the picture was not decoded within ${boundMs / 1000} s`), boundMs);
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxOutputBytes) chunks.push(chunk);
      else end(`the picture has more than ${maxOutputBytes} bytes`);
    });
    child.stderr.on('data', (chunk) => {
      complaints = `${complaints}${String(chunk)}`.slice(-4096);
      // gst-launch-1.0 has been seen to hang after its own error.
      if (complaints.includes('ERROR')) end(errorLine(complaints));
    });
    // A decoder that ended early does not read on: why stands in its complaints.
    child.stdin.on('error', () => undefined);
    child.once('error', (cause) => {
      clearTimeout(bound);
      resolve({ kind: 'failed', reason: `gst-launch-1.0 cannot be started: ${cause.message}` });
    });
    child.once('close', (code) => {
      clearTimeout(bound);
      if (ownReason === null && code === 0 && bytes > 0) resolve({ kind: 'jpeg', jpeg: Buffer.concat(chunks) });
      else resolve({ kind: 'failed', reason: ownReason ?? (errorLine(complaints) || 'no picture came out of the decoder') });
    });
    child.stdin.end(flv);
  });
}

function errorLine(complaints: string): string {
  const lines = complaints.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => line.includes('ERROR')) ?? lines.at(-1) ?? '').slice(0, longestReason);
}

type Size = { readonly width: number; readonly height: number };

/** From the frame header: markers SOF0 to SOF2 (ITU-T T.81, B.2.2). Null: it has none. */
export function jpegSize(jpeg: Buffer): Size | null {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return null;
  for (let at = 2; at + 9 < jpeg.length; ) {
    const marker = jpeg[at + 1] ?? 0;
    if (jpeg[at] !== 0xff) return null;
    if (marker >= 0xc0 && marker <= 0xc2) return { width: jpeg.readUInt16BE(at + 7), height: jpeg.readUInt16BE(at + 5) };
    at += 2 + jpeg.readUInt16BE(at + 2);
  }
  return null;
}
