import { expect, test } from 'vitest';
import { headerBytes, retimed } from '#device/media-host/file/gdp.ts';
import { PictureLine } from '#device/media-host/file/picture-line.ts';

function add(line: PictureLine, timeNs: number, isKeyframe: boolean): void {
  const packet = { kind: 'buffer', bytes: Buffer.alloc(headerBytes), timeNs, durationNs: null, decodingTimeNs: null, isKeyframe } as const;
  line.add(packet, { timeNs, decodingTimeNs: timeNs });
}

const timeOf = (bytes: Buffer | null) => (bytes === null ? null : Number(bytes.readBigUInt64BE(10)));

test('pictures come out in their order, with their new times', () => {
  const line = new PictureLine();
  for (const time of [0, 200, 100]) add(line, time, time === 0);
  expect([line.nextNs, line.aheadNs, line.bytes]).toEqual([0, 200, 3 * headerBytes]);
  expect([timeOf(line.take()), timeOf(line.take()), timeOf(line.take()), line.take()]).toEqual([0, 200, 100, null]);
  expect([line.isEmpty, line.nextNs, line.aheadNs, line.bytes]).toEqual([true, Number.POSITIVE_INFINITY, 0, 0]);
});

test('a decoder that is behind goes on with the newest keyframe that is due, or else with the next one', () => {
  const line = new PictureLine();
  for (let time = 0; time < 100; time += 10) add(line, time, time % 30 === 0);
  line.addTag(Buffer.alloc(headerBytes));
  expect(line.skipTo(65)).toBe(true);
  expect(line.nextNs).toBe(60);
  expect(line.skipTo(65)).toBe(true);
  expect(line.nextNs).toBe(90);
  expect(line.skipTo(65)).toBe(false);
});

test('what describes the pictures is not lost with those that are left out, and is told once', () => {
  const line = new PictureLine();
  line.addCaps(Buffer.from('first'));
  line.addCaps(Buffer.from('first'));
  expect(line.takeCaps().map(String)).toEqual(['first']);
  add(line, 0, true);
  line.addCaps(Buffer.from('first'));
  line.addCaps(Buffer.from('other'));
  add(line, 10, true);
  expect(line.skipTo(20)).toBe(true);
  expect([String(line.take()), timeOf(line.take()), line.take()]).toEqual(['other', 10, null]);
  expect(retimed(Buffer.alloc(headerBytes), -5, null).readBigUInt64BE(10)).toBe(0n);
});
