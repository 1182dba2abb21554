import { expect, test } from 'vitest';
import { OutletSwitch } from '#device/schedule/outlet-switch.ts';
import type { Outlet } from '#device/schedule/outlets.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { until } from '../../until.ts';
import { manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { noSmallDisk, smallDisk } from '../recording/small-disk.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

async function drawer(directory?: string) {
  const state = new StateDirectory(directory ?? (await temporaryDirectory()), quietLog());
  const clock = manualClock();
  const errors: unknown[] = [];
  const make = async (outlet: Outlet): Promise<OutletSwitch> => {
    const made = new OutletSwitch({ outlet, state, clock, onDiskError: (cause) => errors.push(cause) });
    await made.load();
    return made;
  };
  return { make, errors };
}

test('it holds over restarts, until what it was switched against has changed', async () => {
  const { make, errors } = await drawer();
  const first = await make('record');
  expect(first.switched()).toBe(null);
  await first.turn(true, 'revision 7');
  const second = await make('record');
  // The server offers the same settings again at each connection.
  expect([second.endsWith('revision 7'), second.switched()]).toEqual([false, { isOn: true, basis: 'revision 7' }]);
  expect([second.endsWith('revision 8'), second.switched()]).toEqual([true, null]);
  await until('forgotten', 2000, async () => (await make('record')).switched() === null);
  expect(errors).toEqual([]);
});

test('one that is left on the disk and was switched against something else says nothing', async () => {
  const { make } = await drawer();
  await (await make('record')).turn(false, 'revision 2');
  const later = await make('record');
  expect([later.wanted('revision 2'), later.wanted('revision 3')]).toEqual([false, null]);
});

test('what ends while it is still being written is on the disk no more', async () => {
  const { make, errors } = await drawer();
  const first = await make('record');
  const written = first.turn(false, 'revision 2');
  expect(first.endsWith('revision 3')).toBe(true);
  await written;
  await until('forgotten', 2000, async () => (await make('record')).switched() === null);
  expect(errors).toEqual([]);
});

test('the stream and the recording are switched each alone, and given back to the settings', async () => {
  const { make, errors } = await drawer();
  const [stream, record] = [await make('stream'), await make('record')];
  await Promise.all([stream.turn(false, 'one'), record.turn(true, 'two')]);
  await stream.release();
  expect([(await make('stream')).switched(), (await make('record')).switched()]).toEqual([null, { isOn: true, basis: 'two' }]);
  await stream.release();
  expect(errors).toEqual([]);
});

test('a disk that refuses does not keep anybody from switching', async () => {
  const errors: unknown[] = [];
  const refuse = async (): Promise<never> => {
    throw new Error('EROFS');
  };
  const state = { read: async () => null, write: refuse, remove: refuse, reserve: async () => undefined };
  const made = new OutletSwitch({ outlet: 'stream', state, clock: manualClock(), onDiskError: (cause) => errors.push(cause) });
  await made.turn(false, 'one');
  expect(made.switched()).toEqual({ isOn: false, basis: 'one' });
  expect(errors).toHaveLength(1);
});

test.skipIf(noSmallDisk !== null)(
  'a stream that is stopped while the disk is full is stopped after a power cut, also where none ever was before',
  async () => {
    const disk = await smallDisk(1);
    const { make, errors } = await drawer(disk.path);
    const [stream, record] = [await make('stream'), await make('record')];
    await record.turn(true, 'x'.repeat(4000));
    await disk.fillUp('ballast');
    await Promise.all([stream.turn(false, 'one'), record.turn(false, 'x'.repeat(4000))]);
    expect([(await make('stream')).switched()?.isOn, (await make('record')).switched()?.isOn]).toEqual([false, false]);
    await stream.release();
    expect((await make('stream')).switched()).toBeNull();
    expect(errors).toEqual([]);
  },
);
