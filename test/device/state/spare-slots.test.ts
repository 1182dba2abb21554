/** What must be written when the disk has become full, on a real one. */
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { StateDirectory, stateFile } from '#device/state/state-directory.ts';
import { EventJournal } from '#device/uplink/event-journal.ts';
import { manualClock } from '../manual-clock.ts';
import { quietLog } from '../quiet-log.ts';
import { noSmallDisk, smallDisk } from '../recording/small-disk.ts';

const file = stateFile('kept.json', Type.Object({ number: Type.Integer(), text: Type.String() }), { reservedBytes: 16_384 });
const text = 'x'.repeat(6000);

async function fullDisk(prepare = (state: StateDirectory) => state.write(file, { number: 1, text })) {
  const disk = await smallDisk(4);
  const state = new StateDirectory(disk.path, quietLog());
  await prepare(state);
  await disk.fillUp('ballast');
  return { disk, state, reopened: () => new StateDirectory(disk.path, quietLog()) };
}

test.skipIf(noSmallDisk !== null)('a full disk takes each write all the same, and the newest is read after a power cut', async () => {
  const { disk, state, reopened } = await fullDisk();
  for (const number of [2, 3, 4]) {
    await state.write(file, { number, text });
    expect(await reopened().read(file)).toEqual({ number, text });
  }
  expect(state.problem()).toBe('ENOSPC');
  await disk.remove('ballast');
  await state.write(file, { number: 5, text });
  expect(state.problem()).toBeNull();
  expect(await reopened().read(file)).toEqual({ number: 5, text });
});

test.skipIf(noSmallDisk !== null)('a write that a power cut tears leaves what was there before it', async () => {
  const { disk, state, reopened } = await fullDisk();
  await state.write(file, { number: 2, text });
  await state.write(file, { number: 3, text });
  const newest = join(disk.path, 'kept.json.spare-0');
  const bytes = await readFile(newest);
  expect(bytes.toString('latin1')).toContain('"number":3');
  const handle = await open(newest, 'r+');
  await handle.write(Buffer.from('torn'), 0, 4, 3000);
  await handle.close();
  expect(await reopened().read(file)).toEqual({ number: 2, text });
});

test.skipIf(noSmallDisk !== null)('what is larger than the room that was taken is refused, and nothing is lost by it', async () => {
  const { state, reopened } = await fullDisk();
  await state.write(file, { number: 2, text });
  await expect(state.write(file, { number: 3, text: 'x'.repeat(20_000) })).rejects.toThrow('ENOSPC');
  expect(await reopened().read(file)).toEqual({ number: 2, text });
});

test.skipIf(noSmallDisk !== null)(
  'a file that was never there is written on a full disk all the same, when its room was taken before',
  async () => {
    const { disk, state, reopened } = await fullDisk((made) => made.reserve(file));
    await state.write(file, { number: 1, text });
    const second = reopened();
    expect(await second.read(file)).toEqual({ number: 1, text });
    // What is in the room is not taken for nothing.
    await second.reserve(file);
    expect(await second.read(file)).toEqual({ number: 1, text });
    await second.write(file, { number: 2, text });
    expect(await reopened().read(file)).toEqual({ number: 2, text });
    await second.remove(file);
    expect(await reopened().read(file)).toBeNull();
    await second.write(file, { number: 3, text });
    await disk.remove('ballast');
    await second.write(file, { number: 4, text });
    await second.remove(file);
    expect(await reopened().read(file)).toBeNull();
  },
);

test.skipIf(noSmallDisk !== null)('slots that were written over an older file do not count', async () => {
  const { disk, state, reopened } = await fullDisk();
  await state.write(file, { number: 2, text });
  await disk.remove('ballast');
  // As if the power had failed after the file itself was there and before its slots were emptied.
  await writeFile(join(disk.path, 'kept.json'), JSON.stringify({ number: 3, text }));
  expect(await reopened().read(file)).toEqual({ number: 3, text });
});

test.skipIf(noSmallDisk !== null)('no event is lost, and no number given twice, when the power fails while the disk is full', async () => {
  const disk = await smallDisk(4);
  const clock = manualClock();
  const started = async () => {
    const journal = new EventJournal({ state: new StateDirectory(disk.path, quietLog()), clock, log: quietLog() });
    await journal.start();
    return journal;
  };
  const first = await started();
  first.add('thing', 'before');
  await first.stop();
  await disk.fillUp('ballast');
  const second = await started();
  second.add('thing', 'while it is full');
  await second.stop();
  const third = await started();
  third.add('thing', 'after the power cut');
  await third.stop();
  const last = await started();
  const told: string[] = [];
  for (let event = last.nextAfter(0); event !== undefined; event = last.nextAfter(event.number)) told.push(event.detail);
  expect(told).toEqual(['before', 'while it is full', 'after the power cut']);
  expect(await readdir(disk.path)).toContain('ballast');
});
