import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { NginxSupervisor } from '#fleet-server/relay/nginx-supervisor.ts';
import { manualClock } from '../manual-clock.ts';

test('an nginx that ran for long is started anew at once, one that did not is waited for, whatever time the clock is set to', async () => {
  const clock = manualClock();
  let launched = 0;
  let fail = (): void => undefined;
  const nginx = {
    adopt: async () => undefined,
    launch: async () => {
      launched += 1;
      const gone = new Promise<string>((resolve) => {
        fail = () => resolve('it ended with code 1');
      });
      return { processId: 2, adopted: false, gone, forget: () => undefined };
    },
    end: async () => undefined,
  };
  const supervisor = new NginxSupervisor({ nginx, clock, log: pino({ enabled: false }), random: () => 0, onStateChange: () => undefined });
  onTestFinished(() => supervisor.stop());
  await supervisor.start();
  for (let times = 0; times < 5; times += 1) {
    fail();
    await clock.advance(10_000);
  }
  expect(launched).toBe(6);
  clock.set(86_400_000);
  fail();
  await clock.advance(1000);
  expect(launched).toBe(6);
  await clock.advance(60_000);
  expect(launched).toBe(7);
  clock.set(-90_000_000);
  fail();
  await clock.advance(1000);
  expect(launched).toBe(8);
});
