/** A keyframe with its header, as the media host hands it out: made by GStreamer. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseTag } from '#device/media-host/flv.ts';

const run = promisify(execFile);
/** With the size of the tag before the first. */
const fileHeaderBytes = 13;

export async function madeKeyframe({
  width,
  height,
  pattern = 'smpte',
}: {
  width: number;
  height: number;
  pattern?: string;
}): Promise<Buffer> {
  const source = `videotestsrc num-buffers=1 pattern=${pattern} ! video/x-raw,format=I420,width=${width},height=${height},framerate=30/1`;
  // As the planner has it for a computer: High profile, of which a decoder may hold pictures back.
  const encoder = 'x264enc tune=zerolatency speed-preset=ultrafast dct8x8=true cabac=true bitrate=20000 ! video/x-h264,profile=high';
  const command = `-q ${source} ! ${encoder} ! h264parse ! flvmux streamable=true ! fdsink fd=1`;
  const { stdout } = await run('gst-launch-1.0', command.split(' '), { encoding: 'buffer', maxBuffer: 50_000_000, timeout: 60_000 });
  // What flvmux adds at the end of a file (its script again, the end of the sequence) never comes in a stream.
  let end = fileHeaderBytes;
  for (let tag = parseTag(stdout.subarray(end)); tag !== null; tag = parseTag(stdout.subarray(end))) {
    end += 11 + stdout.readUIntBE(end + 1, 3) + 4;
    if (tag.isKeyframe) break;
  }
  return stdout.subarray(0, end);
}
