/** What systemd is told of the fleet server, by the real systemd-notify. */
import { expect, test } from 'vitest';
import { serviceManagerOf } from '#fleet-server/process/service-manager.ts';
import { canReceive, startReceiver } from '../../device/service/notify-receiver.ts';
import { until } from '../../until.ts';
import { manualClock } from '../manual-clock.ts';

const watched = { PATH: process.env['PATH'], WATCHDOG_USEC: '60000000' };

test.skipIf(!canReceive)('ready, alive a third of the watchdog’s time apart, stopping, and nothing after that', async () => {
  const receiver = await startReceiver();
  const clock = manualClock();
  const service = serviceManagerOf({ ...watched, NOTIFY_SOCKET: receiver.socket }, 1, clock);
  service?.ready('The dashboard is at http://localhost:8080');
  await until('ready', 5000, () => receiver.lines.includes('READY=1'));
  expect(receiver.lines).toContain('STATUS=The dashboard is at http://localhost:8080');
  expect(receiver.countOf('WATCHDOG=1')).toBe(0);
  await clock.advance(20_000);
  await until('alive', 5000, () => receiver.countOf('WATCHDOG=1') === 1);
  await service?.stopping();
  await until('stopping', 5000, () => receiver.lines.includes('STOPPING=1'));
  await clock.advance(60_000);
  expect(receiver.countOf('WATCHDOG=1')).toBe(1);
});

test('nobody is told where nobody asked, and a watchdog that is another process’s is not fed', () => {
  let timers = 0;
  const every = () => {
    timers += 1;
    return () => {};
  };
  const clock = { ...manualClock(), every };
  expect(serviceManagerOf({}, 1, clock)).toBeNull();
  serviceManagerOf({ ...watched, NOTIFY_SOCKET: '/nowhere', WATCHDOG_PID: '2' }, 1, clock)?.ready('');
  expect(timers).toBe(0);
});
