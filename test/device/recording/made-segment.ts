/** A segment as the media host writes it, made by real elements in a moment instead of in its own length. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseTag } from '#device/media-host/flv.ts';
import { Segmenter } from '#device/media-host/segmenter.ts';

const run = promisify(execFile);

export type SegmentShape = { readonly frames?: number; readonly hasSound?: boolean };

/** 160x90 at 30 frames a second, a keyframe each second. */
export async function makeSegment({ frames = 60, hasSound = true }: SegmentShape = {}): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'segment-'));
  const path = join(folder, 'stream.flv');
  const picture =
    `videotestsrc num-buffers=${frames} ! video/x-raw,width=160,height=90,framerate=30/1 ! ` +
    'x264enc speed-preset=ultrafast tune=zerolatency key-int-max=30 bitrate=200 ! h264parse ! mux.';
  const soundBuffers = Math.round((frames / 30) * (16_000 / 1024));
  const sound =
    `audiotestsrc num-buffers=${soundBuffers} samplesperbuffer=1024 ! audio/x-raw,rate=16000,channels=1 ! ` +
    'voaacenc bitrate=32000 ! audio/mpeg,mpegversion=4,stream-format=raw ! mux.';
  const pipeline = `flvmux name=mux streamable=true ! filesink location=${path} ${picture} ${hasSound ? sound : ''}`;
  await run('gst-launch-1.0', ['-q', ...pipeline.trim().split(/\s+/)]);
  const stream = await readFile(path);
  await rm(folder, { recursive: true });
  return segmentOf(stream);
}

function segmentOf(stream: Buffer): Buffer {
  const segmenter = new Segmenter(3_600_000);
  const parts: Buffer[] = [];
  for (let offset = 13; offset < stream.length; ) {
    const length = stream.readUIntBE(offset + 1, 3) + 15;
    const tag = parseTag(stream.subarray(offset, offset + length));
    offset += length;
    if (tag === null) continue;
    for (const step of segmenter.next(tag, tag.timestampMs)) if (step.kind !== 'close') parts.push(step.bytes);
  }
  return Buffer.concat(parts);
}
