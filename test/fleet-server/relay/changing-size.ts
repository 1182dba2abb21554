/** A recording whose picture changes its size half way, as a device sends it after a new setting: one connection, one time line. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Signature, version, flags, header length, and the first "previous tag size" (Adobe FLV 10.1, annex E.2). */
const headerBytes = 13;

/** Writes an FLV of `secondsEach` in the first size and as much in the second; answers its path. */
export async function recordChangingSize(folder: string, sizes: readonly [string, string], secondsEach: number): Promise<string> {
  const [first, second] = await Promise.all(sizes.map((size) => record(folder, size, secondsEach)));
  const path = join(folder, 'changing-size.flv');
  if (first === undefined || second === undefined) throw new Error('two recordings were expected');
  await writeFile(path, Buffer.concat([first, shifted(second.subarray(headerBytes), secondsEach * 1000)]));
  return path;
}

async function record(folder: string, size: string, seconds: number): Promise<Buffer> {
  const path = join(folder, `${size}.flv`);
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-t', String(seconds)];
  const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '30'];
  await run('ffmpeg', ['-loglevel', 'error', '-y', ...picture, ...encoding, '-f', 'flv', path]);
  return await readFile(path);
}

/** Each tag: type, 3 bytes of length, 3 bytes of time and its upper byte, 3 of stream, the data, 4 of "previous tag size". */
function shifted(tags: Buffer, byMs: number): Buffer {
  const copy = Buffer.from(tags);
  for (let at = 0; at + 11 <= copy.length; at += 11 + copy.readUIntBE(at + 1, 3) + 4) {
    const timeMs = copy.readUIntBE(at + 4, 3) + ((copy[at + 7] ?? 0) << 24) + byMs;
    copy.writeUIntBE(timeMs & 0xffffff, at + 4, 3);
    copy[at + 7] = timeMs >>> 24;
  }
  return copy;
}
