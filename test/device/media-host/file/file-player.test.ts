/** Real files and the real reader; what the pipeline would take is taken at once. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '#device/media/clock.ts';
import { FilePlayer } from '#device/media-host/file/file-player.ts';
import { cutPackets } from '#device/media-host/file/gdp.ts';
import type { GstElement } from '#device/media-host/gst-pipeline.ts';
import { decodablePictures } from '#device/plan/file-source.ts';
import { until } from '../../../until.ts';
import { temporaryDirectory } from '../../temporary-directory.ts';

const rateHz = 8000;
let clips = '';
let player: FilePlayer | null = null;

function ffmpeg(name: string, seconds: string, ...encoding: readonly string[]): void {
  const inputs = ['-f', 'lavfi', '-i', `testsrc2=s=64x48:r=10:d=${seconds}`, '-f', 'lavfi', '-i', `sine=r=48000:d=${seconds}`];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...inputs, ...encoding, join(clips, name)]);
}

beforeAll(async () => {
  clips = await mkdtemp(join(tmpdir(), 'msl-clips-'));
  ffmpeg('talk.mp4', '1', '-c:v', 'libx264', '-bf', '2', '-c:a', 'aac');
  ffmpeg('silent.mkv', '1', '-an', '-c:v', 'libx264');
  ffmpeg('long.mp4', '8', '-c:v', 'libx264', '-c:a', 'aac', '-movflags', '+faststart');
  ffmpeg('other.webm', '1', '-c:v', 'libvpx', '-c:a', 'libvorbis');
  ffmpeg('sound.mp4', '1', '-vn', '-c:a', 'aac');
});

afterEach(() => player?.stop());
afterAll(() => rm(clips, { recursive: true }));

type Played = {
  readonly times: number[];
  readonly sound: { readonly atS: number; readonly isSilent: boolean }[];
  readonly failures: string[];
  readonly faults: string[];
};

/** Takes as fast as it is given; `waitingS` of sound is said to wait, of which too little is filled up with silence. */
async function play(path: string, pictures = decodablePictures(new Set()), waitingS = 0.3): Promise<Played> {
  const played: Played = { times: [], sound: [], failures: [], faults: [] };
  const takePictures = (bytes: Buffer) => {
    const cut = cutPackets(bytes);
    if (cut.kind === 'broken') throw new Error(cut.reason);
    for (const packet of cut.packets) if (packet.kind === 'buffer') played.times.push((packet.timeNs ?? 0) / 1e9);
  };
  const takeSound = (bytes: Buffer, time?: Buffer) => {
    played.sound.push({ atS: Number(time?.readBigUInt64BE()) / 1e9, isSilent: bytes.every((byte) => byte === 0) });
  };
  const source = (level: string, waiting: number, push: (bytes: Buffer, time?: Buffer) => void) =>
    ({ [level]: waiting, push }) as GstElement;
  const started: FilePlayer = new FilePlayer({ path, within: null, pictures, soundRateHz: rateHz }, systemClock, {
    onReady: () =>
      started.attach({
        pictures: source('current-level-buffers', 0, takePictures),
        sound: source('current-level-bytes', waitingS * rateHz * 4, takeSound),
      }),
    onFailed: (reason) => {
      played.failures.push(reason);
      started.stop();
    },
    onFault: (fault) => played.faults.push(fault),
  });
  player = started;
  started.start();
  return played;
}

async function copy(name: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'play');
  await copyFile(join(clips, name), path);
  return path;
}

test('twenty rounds: each picture at its time, sound without a hole', async () => {
  const played = await play(await copy('talk.mp4'));
  await until('twenty rounds', 10_000, () => played.times.length >= 200);
  expect(played.failures).toEqual([]);
  const inOrder = played.times.slice(0, 200).sort((left, right) => left - right);
  const firstOfRounds = inOrder.filter((_, index) => index % 10 === 0);
  const lengths = firstOfRounds.slice(1).map((time, index) => time - (firstOfRounds[index] ?? 0));
  // The sound of the file is a little longer than its pictures, in each round by the same.
  expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(0.001);
  expect(lengths[0]).toBeGreaterThanOrEqual(1);
  expect(lengths[0]).toBeLessThan(1.15);
  expect(played.sound.length).toBeGreaterThan(30);
  for (const [index, { atS }] of played.sound.entries()) expect(atS).toBeCloseTo(0.3 + index * 0.1, 6);
  expect(played.sound.slice(0, 30).filter(({ isSilent }) => isSilent)).toEqual([]);
});

test('a file without sound is silent, and goes on', async () => {
  const played = await play(await copy('silent.mkv'), undefined, 0);
  await until('four rounds', 10_000, () => played.times.length >= 40);
  expect(played.failures).toEqual([]);
  expect(played.sound.every(({ isSilent }) => isSilent)).toBe(true);
});

test('one that breaks off is played to there, and begins anew', async () => {
  const path = await copy('long.mp4');
  await truncate(path, 60_000);
  const played = await play(path);
  await until('two rounds of what is left', 10_000, () => played.times.length > 100);
  expect(played.failures).toEqual([]);
});

test('what is removed or exchanged meanwhile is noticed when its end has been played', async () => {
  const path = await copy('talk.mp4');
  const played = await play(path);
  await until('a round', 10_000, () => played.times.length >= 10);
  await rm(path);
  await until('a failure', 10_000, () => played.failures.length > 0);
  expect(played.failures[0]).toContain('is not there: put it there');
  await copyFile(join(clips, 'talk.mp4'), path);
  const again = await play(path);
  await until('a round', 10_000, () => again.times.length >= 10);
  await copyFile(join(clips, 'other.webm'), `${path}.new`);
  await rename(`${path}.new`, path);
  await until('a failure', 10_000, () => again.failures.length > 0);
  expect(again.failures).toEqual(['the file has been exchanged for one of another kind']);
});

test.each([
  ['sound alone', 'sound.mp4', undefined, 'there is no picture in it that can be played'],
  ['pictures that nothing here decodes', 'talk.mp4', ['image/jpeg'], 'its pictures are video/x-h264, which no decoder here reads'],
])('%s cannot be played', async (_, name, pictures, reason) => {
  const played = await play(await copy(name), pictures);
  await until('a failure', 10_000, () => played.failures.length > 0);
  expect(played.failures[0]).toContain(reason);
});

/** An MP4 whose tables say that its pictures lie at this address. */
function withPicturesAt(file: Buffer, address: string): Buffer {
  const at = file.indexOf('url ', file.indexOf('dref')) - 4;
  const box = Buffer.concat([Buffer.alloc(4), Buffer.from('url \0\0\0\0', 'latin1'), Buffer.from(`${address}\0`)]);
  box.writeUInt32BE(box.length);
  const ownBytes = file.readUInt32BE(at);
  const changed = Buffer.concat([file.subarray(0, at), box, file.subarray(at + ownBytes)]);
  for (const name of ['dref', 'dinf', 'minf', 'mdia', 'trak', 'moov']) {
    const size = file.lastIndexOf(name, at) - 4;
    changed.writeUInt32BE(file.readUInt32BE(size) + box.length - ownBytes, size);
  }
  return changed;
}

function box(name: string, body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length + 8);
  return Buffer.concat([size, Buffer.from(name), body]);
}

test('a file that names an address elsewhere has nobody asked there', async () => {
  let asked = 0;
  const elsewhere = createServer((socket) => {
    asked += 1;
    socket.destroy();
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  onTestFinished(() => void elsewhere.close());
  const address = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/x.mp4`;
  const path = join(await temporaryDirectory(), 'play');
  await writeFile(path, withPicturesAt(await readFile(join(clips, 'talk.mp4')), address));
  const played = await play(path);
  await until('two rounds of its own pictures', 10_000, () => played.times.length > 20);
  player?.stop();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(address.length + 1);
  const reference = Buffer.concat([Buffer.from('\0\0\0\0url ', 'latin1'), length, Buffer.from(`${address}\0`)]);
  await writeFile(
    path,
    Buffer.concat([box('ftyp', Buffer.from('qt  \0\0\0\0qt  ')), box('moov', box('rmra', box('rmda', box('rdrf', reference))))]),
  );
  const film = await play(path);
  await until('a failure', 10_000, () => film.failures.length > 0);
  expect(film.failures[0]).toContain('no playable streams');
  expect(asked).toBe(0);
});

test('garbage behind the right first bytes is refused, and not tried again while it stays', async () => {
  const path = join(await temporaryDirectory(), 'play');
  await writeFile(path, Buffer.concat([Buffer.from('\0\0\0\x20ftypisom', 'latin1'), Buffer.alloc(3000, 7)]));
  const played = await play(path);
  await until('a failure', 10_000, () => played.failures.length > 0);
  expect(played.failures[0]).toContain(`the file ${path} cannot be played: `);
  player?.start();
  await until('a failure', 10_000, () => played.failures.length > 1);
  expect(played.failures[1]).toBe(played.failures[0]);
});
