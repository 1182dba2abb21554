import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { systemClock } from '#device/media/clock.ts';
import { ReachabilityProbe } from '#device/media-host/reachability-probe.ts';
import { until } from '../../until.ts';
import { manualClock } from '../manual-clock.ts';

const target = { host: 'relay', port: 1935 };

it('asks about once a second for as long as nobody answers, and tells each answer', async () => {
  const clock = manualClock();
  let asked = 0;
  let told = 0;
  let isThere = false;
  const probe = new ReachabilityProbe({
    clock,
    random: () => 0.5,
    onReachable: () => {
      told += 1;
    },
    dial: (asks, onResult) => {
      expect(asks).toBe(target);
      asked += 1;
      onResult(isThere);
      return () => undefined;
    },
  });
  probe.start(target);
  probe.start(target);
  await clock.advance(60_000);
  expect([asked, told]).toEqual([70, 0]);
  isThere = true;
  await clock.advance(1000);
  expect(told).toBe(1);
  probe.stop();
  probe.stop();
  expect(clock.waitingTimers()).toBe(0);
});

it('gives up a try that hangs after a second for the next one, and hangs up when it is stopped', async () => {
  const clock = manualClock();
  let open = 0;
  let asked = 0;
  const probe = new ReachabilityProbe({
    clock,
    random: () => 0,
    onReachable: () => undefined,
    dial: () => {
      asked += 1;
      open += 1;
      return () => {
        open -= 1;
      };
    },
  });
  probe.start(target);
  await clock.advance(1500);
  expect([asked, open]).toEqual([1, 1]);
  await clock.advance(600);
  expect([asked, open]).toEqual([2, 1]);
  await clock.advance(60_000);
  expect([asked, open]).toEqual([62, 1]);
  probe.stop();
  expect(open).toBe(0);
  expect(clock.waitingTimers()).toBe(0);
});

it('spreads the return of many devices', () => {
  const spread = [0, 0.25, 0.5, 0.75].map((random) => {
    const waits: number[] = [];
    const schedule = (_: () => void, delayMs: number) => {
      waits.push(delayMs);
      return () => undefined;
    };
    new ReachabilityProbe({ clock: { ...systemClock, schedule }, random: () => random, onReachable: () => undefined }).start(target);
    return waits[0];
  });
  expect(new Set(spread).size).toBe(4);
});

it('reaches a real server as soon as it listens', async () => {
  let told = 0;
  const probe = new ReachabilityProbe({
    clock: systemClock,
    random: Math.random,
    onReachable: () => {
      told += 1;
    },
  });
  const server = createServer((socket) => socket.resume().on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  probe.start({ host: '127.0.0.1', port });
  await until('an answer', 3000, () => told > 0);
  probe.stop();
  server.close();
  probe.start({ host: 'no-such-host.invalid', port: 1 });
  probe.stop();
});
