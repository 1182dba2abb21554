import { expect, test, vi } from 'vitest';
import { takePlace } from '#device/detect/camera-place.ts';
import { CameraMemory } from '#device/state/camera-memory.ts';
import { c270, c920, cameraModule, microphone, server, withDevices } from '../plan/hardware.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from '../uplink/memory-state.ts';

const hardware = withDevices(server, [c270, c920], [microphone(1, { cameraId: c270.id })]);
const place = takePlace('', c270, hardware, null);

async function loadedMemory(state: MemoryState, bootId: string): Promise<CameraMemory> {
  const memory = new CameraMemory({ state, log: quietLog() });
  await memory.load(bootId);
  return memory;
}

test.each([
  ['a webcam with its microphone', place],
  ['a camera module', takePlace('libcamera-imx219', cameraModule, withDevices(server, [cameraModule]), null)],
  [
    'sizes within bounds',
    takePlace('', { ...c270, modes: c270.modes.map((mode) => ({ ...mode, smallest: { width: 2, height: 2 } })) }, hardware, null),
  ],
])('the camera on air is remembered in the same boot, and not in another one: %s', async (_name, kept) => {
  const state = new MemoryState();
  (await loadedMemory(state, 'boot-1')).keep(kept);
  expect((await loadedMemory(state, 'boot-1')).value()).toEqual(kept);
  expect((await loadedMemory(state, 'boot-2')).value()).toBeNull();
});

test('what is as before is not written again', async () => {
  const state = new MemoryState();
  const memory = await loadedMemory(state, 'boot-1');
  for (let time = 0; time < 3; time += 1) memory.keep(takePlace('', c270, hardware, memory.value()));
  expect(state.writes).toBe(1);
});

test('a disk that refuses is said so once, and the place is kept all the same', async () => {
  const state = new MemoryState();
  state.failure = new Error('read-only');
  const log = quietLog();
  const memory = new CameraMemory({ state, log });
  await memory.load('boot-1');
  for (const isAway of [true, false]) memory.keep({ ...place, isAway });
  await vi.waitFor(() => expect(log.lines).toHaveLength(1));
  expect(memory.value()).toEqual(place);
  state.failure = null;
  memory.keep(place);
  expect((await loadedMemory(state, 'boot-1')).value()).toEqual(place);
});
