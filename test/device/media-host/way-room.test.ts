import { beforeEach, expect, it } from 'vitest';
import { WayRoom } from '#device/media-host/way-room.ts';

let room: WayRoom;
beforeEach(() => {
  room = new WayRoom();
});

/** The most of these that may be under way before more is handed over. */
function mostBytes(wayMs = 0): number {
  let most = 0;
  for (let bytes = 0; bytes <= 1_000_000; bytes += 1000) if (room.hasRoom(bytes, wayMs)) most = bytes;
  return most;
}

it('has room for whatever comes while the way keeps up, however little came of late', () => {
  room.learn(false, 100);
  expect(mostBytes()).toBe(1_000_000);
});

it('has room for 800 ms of what a way carries that is behind, and for its delay', () => {
  room.learn(true, 1000);
  expect(mostBytes()).toBe(100_000);
  room.learn(true, 1000);
  expect(mostBytes(400)).toBe(150_000);
});

it('keeps room for a keyframe on the narrowest way', () => {
  room.learn(true, 10);
  expect(mostBytes()).toBe(16_000);
});

it('doubles what a way carries that took all that there was room for, and nothing for one that was not asked', () => {
  room.learn(true, 1000);
  for (let look = 0; look < 5; look += 1) room.learn(false, 1000);
  expect(mostBytes()).toBe(100_000);
  room.learn(false, 1000);
  expect(mostBytes()).toBe(200_000);
});

it('knows nothing of the next connection', () => {
  room.learn(true, 1000);
  room.clear();
  expect(mostBytes()).toBe(1_000_000);
});
