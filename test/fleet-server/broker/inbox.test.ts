import { expect, test } from 'vitest';
import { Inbox } from '#fleet-server/broker/inbox.ts';
import { allowancePolicy } from '#fleet-server/broker/message-allowance.ts';
import { manualClock } from '../manual-clock.ts';

const picture = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);

test('how long a message took is measured, whatever time the clock is set to meanwhile', async () => {
  const clock = manualClock();
  let work = (): void => undefined;
  const hooks = {
    authenticate: () => true,
    handleUpward: () => undefined,
    onPicture: () => new Promise<void>((resolve) => (work = resolve)),
    onConnection: () => undefined,
  };
  const inbox = new Inbox(hooks, clock, () => undefined);
  const take = () => inbox.take({ connection: {} as never, deviceId: 'pi-1', name: 'preview', payload: picture, isWill: false });
  for (const setByMs of [3_600_000, -7_200_000]) {
    const taken = take();
    clock.set(setByMs);
    await clock.advance(20);
    work();
    await taken;
  }
  const { count, sumS } = inbox.ingest.figures();
  expect(count).toBe(2);
  expect(sumS).toBeCloseTo(0.04, 3);
});

test('a device that floods has no more to spend because the clock was set ahead', () => {
  const clock = manualClock();
  const hooks = { authenticate: () => true, handleUpward: () => undefined, onPicture: () => undefined, onConnection: () => undefined };
  const problems: string[] = [];
  const inbox = new Inbox(hooks, clock, (_deviceId, { code }) => problems.push(code));
  const take = () => inbox.take({ connection: {} as never, deviceId: 'pi-1', name: 'preview', payload: picture, isWill: false });
  for (let count = 0; count < allowancePolicy.burstTokens; count += 1) take();
  expect(problems).toEqual([]);
  clock.set(3_600_000);
  void take();
  expect(problems).toEqual(['flooding']);
});
