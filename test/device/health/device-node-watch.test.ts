import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DeviceNodeWatch } from '#device/health/device-node-watch.ts';
import { systemClock } from '#device/media/clock.ts';
import { timeUntil, until } from '../../until.ts';
import { manualClock } from '../manual-clock.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

async function watched(clock = systemClock) {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'null'), '');
  const seen = { changes: 0 };
  const watch = new DeviceNodeWatch({
    clock,
    directory,
    onChange: () => {
      seen.changes += 1;
    },
  });
  watch.start();
  onTestFinished(() => watch.stop());
  return { directory, seen, watch };
}

test('a camera that comes or goes is heard of at once; other nodes are not', async () => {
  const { directory, seen } = await watched();
  await writeFile(join(directory, 'tty7'), '');
  await writeFile(join(directory, 'video0'), '');
  expect(await timeUntil('the camera', 2000, () => seen.changes > 0)).toBeLessThan(500);
  await until('all of its coming', 2000, () => seen.changes > 0);
  const before = seen.changes;
  await rm(join(directory, 'video0'));
  await until('its going', 2000, () => seen.changes > before);
});

test('a folder that comes with the first device is listened to as well, also when it comes a second time', async () => {
  const { directory, seen } = await watched();
  for (let time = 0; time < 2; time += 1) {
    const start = seen.changes;
    await mkdir(join(directory, 'snd'));
    await until('the folder', 2000, () => seen.changes > start);
    const before = seen.changes;
    await writeFile(join(directory, 'snd/controlC1'), '');
    await until('a sound card', 2000, () => seen.changes > before);
    await rm(join(directory, 'snd'), { recursive: true });
    await until('no folder', 2000, () => seen.changes > before + 1);
  }
});

test('a flood of writing to other nodes is not listened to for a minute', async () => {
  const clock = manualClock();
  const { directory, seen, watch } = await watched(clock);
  await until('a pause', 5000, async () => {
    for (let time = 0; time < 100; time += 1) await appendFile(join(directory, 'null'), 'x');
    return clock.waitingTimers() === 1;
  });
  await writeFile(join(directory, 'video0'), '');
  await clock.advance(60_000);
  expect(clock.waitingTimers()).toBe(0);
  await writeFile(join(directory, 'video1'), '');
  await until('the next camera', 2000, () => seen.changes > 0);
  watch.stop();
  watch.stop();
});

test('a machine without the directory is no fault', () => {
  const watch = new DeviceNodeWatch({ clock: systemClock, directory: '/proc/no-such-directory', onChange: () => undefined });
  watch.start();
  watch.stop();
});
