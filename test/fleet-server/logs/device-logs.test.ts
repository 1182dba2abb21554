import { expect, test } from 'vitest';
import { DeviceLogs } from '#fleet-server/logs/device-logs.ts';
import { manualClock } from '../manual-clock.ts';

const linesOf = (logs: DeviceLogs, id: string) => logs.read(id, 0).lines.map(({ text }) => text);

test('lines are kept for a while, whatever time the clock is set to meanwhile', () => {
  const clock = manualClock();
  const logs = new DeviceLogs(clock);
  logs.onLines('first', ['one']);
  clock.set(86_400_000);
  logs.onLines('second', ['two']);
  expect(linesOf(logs, 'first')).toEqual(['one']);
  clock.set(-2 * 86_400_000);
  clock.jump(600_000);
  logs.onLines('third', ['three']);
  expect([linesOf(logs, 'first'), linesOf(logs, 'second')]).toEqual([[], []]);
  expect(linesOf(logs, 'third')).toEqual(['three']);
});
