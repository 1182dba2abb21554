import { expect, test } from 'vitest';
import { RecordingSwitch } from '#device/recording/recording-switch.ts';
import { StateDirectory } from '#device/state/state-directory.ts';
import { until } from '../../until.ts';
import { quietLog } from '../quiet-log.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test('it holds over restarts, until newer settings are in force', async () => {
  const state = new StateDirectory(await temporaryDirectory(), quietLog());
  const errors: unknown[] = [];
  const make = async (): Promise<RecordingSwitch> => {
    const made = new RecordingSwitch({ state, onDiskError: (cause) => errors.push(cause) });
    await made.load();
    return made;
  };
  const first = await make();
  expect(first.wanted()).toBe(null);
  await first.turn(true, 7);
  const second = await make();
  // The server offers the same settings again at each connection.
  expect([second.settingsInForce(7), second.wanted()]).toEqual([false, true]);
  expect([second.settingsInForce(8), second.wanted()]).toEqual([true, null]);
  await until('forgotten', 2000, async () => (await make()).wanted() === null);
  expect(errors).toEqual([]);
});

test('a disk that refuses does not keep anybody from switching', async () => {
  const errors: unknown[] = [];
  const refuse = async (): Promise<never> => {
    throw new Error('EROFS');
  };
  const state = { read: async () => null, write: refuse, remove: refuse };
  const made = new RecordingSwitch({ state, onDiskError: (cause) => errors.push(cause) });
  await made.turn(false, 1);
  expect(made.wanted()).toBe(false);
  expect(errors).toHaveLength(1);
});
