import { expect, test } from 'vitest';
import { diskLookIntervalMs, RecordingDisk } from '#device/recording/recording-disk.ts';
import { manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { MemoryState } from '../uplink/memory-state.ts';

const directory = '/mnt/disk/recordings';
const [card, usb] = [1, 2];

/** What is mounted where, as `stat` tells it. */
function device(memory = new MemoryState()) {
  const clock = manualClock();
  const world = {
    devices: new Map<string, number>([
      ['/', card],
      ['/var/lib/state', card],
      ['/mnt/disk', card],
    ]),
    directory,
    changes: 0,
    isSilent: false,
    takesFiles: true,
    tries: 0,
    refusals: [] as string[],
  };
  const disk = new RecordingDisk({
    clock,
    log: quietLog(),
    state: Object.assign(memory, { path: '/var/lib/state' }),
    directory: () => world.directory,
    onChange: () => {
      world.changes += 1;
    },
    onRefusal: (reason) => world.refusals.push(reason),
    takesFiles: async () => {
      world.tries += 1;
      return world.takesFiles;
    },
    deviceOf: async (path) => (world.isSilent ? new Promise<number>(() => undefined) : (world.devices.get(path) ?? null)),
  });
  return { clock, disk, world, memory };
}

test('a directory on the device’s own disk is never away, be it there or not', async () => {
  const { clock, disk, world } = device();
  await disk.start();
  world.devices.set(directory, card);
  await clock.advance(3 * diskLookIntervalMs);
  world.devices.delete('/mnt/disk');
  world.devices.delete(directory);
  await clock.advance(3 * diskLookIntervalMs);
  expect(disk.isAway(directory)).toBe(false);
  expect(world.changes).toBe(0);
});

test('whether recordings share the disk of the state is known by what is mounted, and without a directory they do', async () => {
  const { clock, disk, world } = device();
  await disk.start();
  expect([directory, '', '/mnt/other'].map((path) => disk.isWithState(path))).toEqual([true, true, false]);
  for (const [place, number] of [
    ['/mnt/disk', usb],
    ['/mnt/disk', card],
    ['/var/lib/state', 3],
  ] as const) {
    world.devices.set(place, number);
    await clock.advance(diskLookIntervalMs);
    expect(disk.isWithState(directory)).toBe(place === '/mnt/disk' && number === card);
  }
  world.directory = '';
  await clock.advance(diskLookIntervalMs);
  expect(disk.isWithState('')).toBe(true);
});

test('a disk that is pulled out is away within a look, and back within one', async () => {
  const { clock, disk, world } = device();
  world.devices.set('/mnt/disk', usb);
  await disk.start();
  expect(disk.isAway(directory)).toBe(false);
  world.devices.set('/mnt/disk', card);
  await clock.advance(diskLookIntervalMs);
  expect(disk.isAway(directory)).toBe(true);
  world.devices.set('/mnt/disk', usb).set(directory, usb);
  await clock.advance(diskLookIntervalMs);
  expect(disk.isAway(directory)).toBe(false);
  expect(world.changes).toBe(2);
});

test('one that is not mounted at boot is missed, also where nothing at all is left of its path', async () => {
  const before = device();
  before.world.devices.set(directory, usb);
  await before.disk.start();
  await before.disk.stop();
  for (const places of [['/mnt/disk', directory], ['/mnt/disk'], []]) {
    const { disk, world } = device(before.memory);
    world.devices.delete('/mnt/disk');
    for (const place of places) world.devices.set(place, card);
    await disk.start();
    expect(disk.isAway(directory)).toBe(true);
    expect(disk.isAway('/mnt/other')).toBe(false);
    await disk.stop();
  }
});

test('a known directory is away until it has been looked at; a disk that does not answer holds up the start for two seconds', async () => {
  const before = device();
  before.world.devices.set(directory, usb);
  await before.disk.start();
  await before.disk.stop();
  const { clock, disk, world } = device(before.memory);
  world.isSilent = true;
  const started = disk.start();
  await clock.advance(2000);
  await started;
  expect(disk.isAway(directory)).toBe(true);
  await disk.stop();
  await disk.stop();
  expect(clock.waitingTimers()).toBe(0);
});

test('other settings name another directory, and a state directory that refuses costs no more than the memory', async () => {
  const { clock, disk, world, memory } = device();
  memory.failure = new Error('read-only');
  world.devices.set('/mnt/disk', usb);
  await disk.start();
  world.directory = '';
  await clock.advance(diskLookIntervalMs);
  world.devices.set('/mnt/disk', card);
  world.directory = directory;
  await clock.advance(diskLookIntervalMs);
  expect(disk.isAway(directory)).toBe(true);
  expect(memory.files.size).toBe(0);
});

/** One that is mounted, and whose recording fails for six seconds. */
async function refusing() {
  const made = device();
  made.world.devices.set('/mnt/disk', usb);
  await made.disk.start();
  made.world.takesFiles = false;
  const fail = async () => {
    for (let second = 0; second <= 6; second += 1) {
      made.disk.noteFault('the disk gives errors');
      await made.clock.advance(1000);
    }
  };
  await fail();
  return { ...made, fail };
}

test('a disk that is there and refuses for five seconds is as good as away, and told once', async () => {
  const { clock, disk, world } = device();
  world.devices.set('/mnt/disk', usb);
  await disk.start();
  // A hiccup now and then.
  for (const fault of ['the disk gives errors', null, null, null, null, null, 'the disk gives errors', null]) {
    disk.noteFault(fault);
    await clock.advance(2000);
  }
  expect(disk.isAway(directory)).toBe(false);
  // It takes the beginning of a file, and no more.
  for (const fault of [null, 'the disk gives errors', null]) {
    disk.noteFault(fault);
    await clock.advance(1000);
  }
  expect(disk.isAway(directory)).toBe(true);
  disk.noteFault('the disk gives errors');
  expect(disk.isAway(directory)).toBe(true);
  expect(world).toMatchObject({ changes: 1, refusals: ['the disk gives errors'] });
  disk.noteFault('the device refuses as well');
  await clock.advance(10_000);
  disk.noteFault('the device refuses as well');
  expect(world).toMatchObject({ changes: 1, tries: 0 });
});

test('it is tried ever more rarely, and used again once it takes a file', async () => {
  const { clock, disk, world } = await refusing();
  await clock.advance(60_000);
  expect(world.tries).toBe(1);
  await clock.advance(60_000);
  expect(world.tries).toBe(1);
  await clock.advance(65_000);
  expect(world.tries).toBe(2);
  expect(disk.isAway(directory)).toBe(true);
  world.takesFiles = true;
  await clock.advance(245_000);
  expect(disk.isAway(directory)).toBe(false);
  expect(world).toMatchObject({ tries: 3, changes: 2 });
});

test('one that takes a small file and fails again is tried later than before', async () => {
  const { clock, disk, world, fail } = await refusing();
  world.takesFiles = true;
  await clock.advance(60_000);
  expect(disk.isAway(directory)).toBe(false);
  await fail();
  expect(disk.isAway(directory)).toBe(true);
  await clock.advance(100_000);
  expect(world.tries).toBe(1);
  await clock.advance(25_000);
  expect(world.tries).toBe(2);
  expect(disk.isAway(directory)).toBe(false);
});

test('one that is pulled out is used at once when it is put in again', async () => {
  const { clock, disk, world } = await refusing();
  world.devices.set('/mnt/disk', card);
  await clock.advance(diskLookIntervalMs);
  expect(disk.isAway(directory)).toBe(true);
  world.devices.set('/mnt/disk', usb);
  await clock.advance(diskLookIntervalMs);
  expect(disk.isAway(directory)).toBe(false);
  expect(world.tries).toBe(0);
});

test('a directory on the device’s own disk that refuses is not given up: there is no other', async () => {
  const { clock, disk } = device();
  await disk.start();
  for (let second = 0; second < 10; second += 1) {
    disk.noteFault('the disk is read-only');
    await clock.advance(1000);
  }
  expect(disk.isAway(directory)).toBe(false);
});

test('that it is a disk of its own is noted once the state directory takes it, and known after a restart', async () => {
  const before = device();
  before.memory.failure = new Error('ENOSPC');
  before.world.devices.set(directory, usb);
  await before.disk.start();
  before.memory.failure = null;
  await before.clock.advance(diskLookIntervalMs);
  await before.disk.stop();
  const { disk } = device(before.memory);
  await disk.start();
  expect(disk.isAway(directory)).toBe(true);
});
