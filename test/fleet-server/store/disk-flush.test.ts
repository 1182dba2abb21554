import { expect, test } from 'vitest';
import { DiskFlush } from '#fleet-server/store/disk-flush.ts';

/** A disk that is done when the test says so. */
function slowDisk() {
  const ends: { resolve: () => void; reject: (cause: Error) => void }[] = [];
  const disk = new DiskFlush(() => new Promise<void>((resolve, reject) => ends.push({ resolve, reject })));
  return { disk, ends };
}

test('who asks while the disk is at it waits for the next time, together with all others that do', async () => {
  const { disk, ends } = slowDisk();
  const told: string[] = [];
  const first = disk.flushed().then(() => told.push('first'));
  const second = disk.flushed().then(() => told.push('second'));
  const third = disk.flushed().then(() => told.push('third'));
  expect(ends).toHaveLength(1);
  ends[0]?.resolve();
  await first;
  expect(told).toEqual(['first']);
  expect(ends).toHaveLength(2);
  ends[1]?.resolve();
  await Promise.all([second, third]);
  expect(told).toEqual(['first', 'second', 'third']);
  expect(ends).toHaveLength(2);
  expect(disk.isRunning).toBe(false);
});

test('a disk that fails is told to those who waited for it, and the next ones are tried anew', async () => {
  const { disk, ends } = slowDisk();
  const failing = disk.flushed();
  const waiting = disk.flushed();
  ends[0]?.reject(new Error('no space'));
  await expect(failing).rejects.toThrow('no space');
  ends[1]?.resolve();
  await waiting;
  const later = disk.flushed();
  ends[2]?.resolve();
  await later;
});
