import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import {
  cutPackets,
  headerBytes,
  maximumPayloadBytes,
  type Packet,
  plainSegment,
  retimed,
  streamStart,
} from '#device/media-host/file/gdp.ts';

const written = execFileSync('gst-launch-1.0', [
  ...['-q', 'videotestsrc', 'num-buffers=3', '!', 'video/x-raw,format=GRAY8,width=16,height=16,framerate=10/1', '!', 'jpegenc'],
  ...['!', 'gdppay', 'crc-header=false', '!', 'fdsink', 'fd=1'],
]);

function packetsOf(bytes: Buffer): readonly Packet[] {
  const cut = cutPackets(bytes);
  if (cut.kind === 'broken') throw new Error(cut.reason);
  return cut.packets;
}

test('what gdppay writes is understood', () => {
  const packets = packetsOf(written);
  expect(packets.find(({ kind }) => kind === 'caps')).toMatchObject({
    mediaType: 'image/jpeg',
    text: expect.stringContaining('width=(int)16'),
  });
  expect(packets.find(({ kind }) => kind === 'segment')).toEqual({ kind: 'segment', startNs: 0, baseNs: 0 });
  const buffers = packets.filter((packet) => packet.kind === 'buffer');
  expect(buffers.map(({ timeNs }) => timeNs)).toEqual([0, 1e8, 2e8]);
  expect(buffers.every(({ isKeyframe }) => isKeyframe)).toBe(true);
});

test('cut at any byte it is the same', () => {
  const whole = packetsOf(written).map(({ kind }) => kind);
  for (const size of [1, 61, 62, 63, 500]) {
    const kinds: string[] = [];
    let rest: Buffer = Buffer.alloc(0);
    for (let at = 0; at < written.length; at += size) {
      const cut = cutPackets(Buffer.concat([rest, written.subarray(at, at + size)]));
      if (cut.kind === 'broken') throw new Error(cut.reason);
      kinds.push(...cut.packets.map(({ kind }) => kind));
      rest = cut.rest;
    }
    expect(kinds).toEqual(whole);
    expect(rest).toHaveLength(0);
  }
});

test('a length that no file of pictures has is refused before room is made for it', () => {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(maximumPayloadBytes + 1, 6);
  expect(cutPackets(header)).toMatchObject({ kind: 'broken' });
});

test('what is written anew is read by gdpdepay, at its new time', () => {
  const packets = packetsOf(written);
  const caps = packets.find((packet) => packet.kind === 'caps');
  const buffers = packets.filter((packet) => packet.kind === 'buffer');
  const moved = buffers.map(({ bytes }, index) => retimed(bytes, 5e9 + index * 1e8, null));
  const again = execFileSync(
    'gst-launch-1.0',
    ['-q', 'fdsrc', 'fd=0', '!', 'gdpdepay', '!', 'jpegdec', '!', 'jpegenc', '!', 'gdppay', 'crc-header=false', '!', 'fdsink', 'fd=1'],
    { input: Buffer.concat([streamStart(), caps?.bytes ?? Buffer.alloc(0), plainSegment(), ...moved]) },
  );
  expect(packetsOf(again).flatMap((packet) => (packet.kind === 'buffer' ? [packet.timeNs] : []))).toEqual([5e9, 5.1e9, 5.2e9]);
});
