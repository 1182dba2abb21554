import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hardwareFingerprint } from '#device/health/hardware-fingerprint.ts';
import { HardwareWatch, lookIntervalMs } from '#device/health/hardware-watch.ts';
import { manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

function startedWatch({ isSomethingMissing = true, hadProblems = false } = {}) {
  const clock = manualClock();
  const world = { fingerprint: 'nothing', isSomethingMissing, redetections: 0 };
  const watch = new HardwareWatch({
    clock,
    log: quietLog(),
    fingerprint: async () => world.fingerprint,
    isSomethingMissing: () => world.isSomethingMissing,
    redetect: async () => {
      world.redetections += 1;
    },
  });
  watch.start(world.fingerprint, hadProblems);
  return { clock, world, watch };
}

test('nothing plugged: nothing detected', async () => {
  const { clock, world } = startedWatch();
  await clock.advance(10 * lookIntervalMs);
  expect(world.redetections).toBe(0);
});

test('a new device is detected, and looked at again while it gets ready', async () => {
  const { clock, world } = startedWatch();
  world.fingerprint = 'a camera';
  await clock.advance(lookIntervalMs);
  expect(world.redetections).toBe(1);
  await clock.advance(10 * lookIntervalMs);
  expect(world.redetections).toBe(3);
});

test('what gave no answer at the start is asked a few times more, while something is missing', async () => {
  const { clock, world } = startedWatch({ hadProblems: true });
  await clock.advance(10 * lookIntervalMs);
  expect(world.redetections).toBe(3);
  const complete = startedWatch({ hadProblems: true, isSomethingMissing: false });
  await complete.clock.advance(10 * lookIntervalMs);
  expect(complete.world.redetections).toBe(0);
});

test('what is plugged in beside a stream that runs well is seen as well, at leisure: once a change and while it gets ready', async () => {
  const { clock, world, watch } = startedWatch({ isSomethingMissing: false });
  world.fingerprint = 'a second camera';
  watch.wake();
  watch.wake();
  await clock.advance(1000);
  expect(world.redetections).toBe(0);
  await clock.advance(1000);
  expect(world.redetections).toBe(1);
  await clock.advance(10 * lookIntervalMs);
  expect(world.redetections).toBe(3);
  watch.wake();
  await clock.advance(10 * lookIntervalMs);
  expect(world.redetections).toBe(3);
});

test('a look at a set time detects also where nothing has changed, and a later word of it replaces it', async () => {
  const { clock, world, watch } = startedWatch({ isSomethingMissing: false });
  watch.lookIn(400);
  watch.lookIn(1000);
  await clock.advance(999);
  expect(world.redetections).toBe(0);
  await clock.advance(1);
  expect(world.redetections).toBe(1);
  watch.lookIn(1000);
  watch.stop();
  watch.lookIn(1000);
  await clock.advance(10 * lookIntervalMs);
  expect(world.redetections).toBe(1);
  expect(clock.waitingTimers()).toBe(0);
});

test('a failure looks at once; a stop ends it', async () => {
  const { clock, world, watch } = startedWatch();
  world.fingerprint = 'the camera is gone';
  await watch.check();
  expect(world.redetections).toBe(1);
  watch.stop();
  watch.stop();
  await clock.advance(10 * lookIntervalMs);
  await watch.check();
  expect(world.redetections).toBe(1);
  expect(clock.waitingTimers()).toBe(0);
});

test('the fingerprint changes with a camera, with its node becoming usable, and with a sound card', async () => {
  const root = await temporaryDirectory();
  const roots = { sys: join(root, 'sys'), proc: join(root, 'proc'), dev: join(root, 'dev') };
  const fingerprints = [await hardwareFingerprint(roots)];
  await mkdir(join(root, 'sys/class/video4linux/video0'), { recursive: true });
  await writeFile(join(root, 'sys/class/video4linux/video0/name'), 'C270\n');
  fingerprints.push(await hardwareFingerprint(roots));
  await mkdir(roots.dev);
  await writeFile(join(roots.dev, 'video0'), '');
  fingerprints.push(await hardwareFingerprint(roots));
  await mkdir(join(root, 'proc/asound'), { recursive: true });
  await writeFile(join(root, 'proc/asound/cards'), ' 1 [C270]: USB-Audio\n');
  fingerprints.push(await hardwareFingerprint(roots));
  expect(new Set(fingerprints).size).toBe(4);
  expect(await hardwareFingerprint(roots)).toBe(fingerprints.at(-1));
});

test('word of a change looks at once, and again while the device gets ready', async () => {
  const { clock, world, watch } = startedWatch();
  world.fingerprint = 'a camera that nobody may use yet';
  watch.wake();
  watch.wake();
  await clock.advance(100);
  expect(world.redetections).toBe(1);
  world.fingerprint = 'a camera';
  await clock.advance(300);
  expect(world.redetections).toBe(2);
  watch.stop();
  watch.wake();
  await clock.advance(lookIntervalMs);
  expect(world.redetections).toBe(2);
});
