import { expect, test } from 'vitest';
import { LoopLine, type Track } from '#device/media-host/file/loop-line.ts';

const ms = 1e6;
const buffer = (timeMs: number | null, durationMs: number | null = 40, decodingMs: number | null = null) =>
  ({
    kind: 'buffer',
    bytes: Buffer.alloc(0),
    timeNs: timeMs === null ? null : timeMs * ms,
    durationNs: durationMs === null ? null : durationMs * ms,
    decodingTimeNs: decodingMs === null ? null : decodingMs * ms,
    isKeyframe: true,
  }) as const;
const segment = (startMs: number, baseMs = 0) => ({ kind: 'segment', startNs: startMs * ms, baseNs: baseMs * ms }) as const;

function place(line: LoopLine, track: Track, ...of: Parameters<typeof buffer>): number {
  return line.place(track, buffer(...of)).timeNs / ms;
}

test('pictures and sound keep together over thirty rounds, though one is longer than the other', () => {
  const line = new LoopLine(300 * ms);
  for (let round = 0; round < 30; round += 1) {
    expect([place(line, 'pictures', 0), place(line, 'sound', 0)]).toEqual([300 + round * 3021, 300 + round * 3021]);
    expect(place(line, 'pictures', 2960)).toBe(300 + round * 3021 + 2960);
    place(line, 'sound', 3000, 21);
    line.startRound();
  }
});

test('each track begins where its own segment says', () => {
  const line = new LoopLine(0);
  line.setSegment('pictures', segment(80));
  line.setSegment('sound', segment(21));
  expect([place(line, 'pictures', 80), place(line, 'sound', 21)]).toEqual([0, 0]);
  line.setSegment('pictures', segment(500, 1000));
  expect(place(line, 'pictures', 500)).toBe(1000);
});

test('what lies before the beginning is decoded at the beginning, and sound is told so', () => {
  const line = new LoopLine(1000 * ms);
  line.setSegment('pictures', segment(400));
  line.setSegment('sound', segment(400));
  expect(line.place('pictures', buffer(0, 40, 0))).toEqual({ timeNs: 1000 * ms, decodingTimeNs: 1000 * ms });
  expect(place(line, 'sound', 390)).toBe(990);
});

test('a file of one picture is shown for a second', () => {
  const line = new LoopLine(0);
  place(line, 'pictures', 0);
  line.startRound();
  expect(line.roundStartNs).toBe(1000 * ms);
});

test('without durations and without times it goes on', () => {
  const line = new LoopLine(0);
  expect([place(line, 'pictures', 0, null), place(line, 'pictures', 500, null), place(line, 'pictures', 1500, null)]).toEqual([
    0, 500, 1500,
  ]);
  expect(place(line, 'pictures', null, null)).toBe(1540);
  line.startRound();
  expect(line.roundStartNs).toBe(2500 * ms);
});
