import { expect, it } from 'vitest';
import { ConnectionLife } from '#device/media-host/connection-life.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';

/** A life whose attempts hang until a test says how they end. */
class Bench {
  readonly clock: ManualClock = manualClock();
  opens = 0;
  readonly life: ConnectionLife = new ConnectionLife({
    clock: this.clock,
    random: () => 0.5,
    target: 'relay',
    probeTarget: null,
    onEvent: () => undefined,
    onState: () => undefined,
    open: () => {
      this.opens += 1;
      this.life.opened();
    },
    close: () => undefined,
    onStreaming: () => undefined,
    onLost: () => undefined,
  });
}

it('does not sit out its delay when a network comes back', async () => {
  const bench = new Bench();
  bench.life.start();
  for (let attempt = 0; attempt < 12; attempt += 1) {
    bench.life.failed('the network does not reach the server');
    await bench.clock.advance(10_000);
  }
  bench.life.failed('the network does not reach the server');
  const { opens } = bench;
  bench.life.onNetworkReturn();
  await bench.clock.advance(500);
  expect([bench.opens, bench.life.kind]).toEqual([opens + 1, 'connecting']);
});

it.each([
  ['that hangs is begun again, once', 3000, 2],
  ['that has only begun is left to itself', 1000, 1],
])('an attempt %s when a network comes back', async (_, ageMs, opens) => {
  const bench = new Bench();
  bench.life.start();
  await bench.clock.advance(ageMs);
  bench.life.onNetworkReturn();
  await bench.clock.advance(500);
  expect([bench.opens, bench.life.kind]).toEqual([opens, 'connecting']);
  await bench.clock.advance(2000);
  bench.life.connected();
  expect(bench.life.kind).toBe('streaming');
});

it('begins no attempt a third time, however often networks come and go', async () => {
  const bench = new Bench();
  bench.life.start();
  for (let time = 0; time < 5; time += 1) {
    await bench.clock.advance(3000);
    bench.life.onNetworkReturn();
  }
  expect(bench.opens).toBe(2);
});

it('sits out its delay where the server has said no, as that is none of the network', async () => {
  const bench = new Bench();
  bench.life.start();
  await bench.clock.advance(3000);
  bench.life.onNetworkReturn();
  bench.life.failed('refused by the server: wrong stream key, or streaming is not allowed');
  await bench.clock.advance(300);
  bench.life.onNetworkReturn();
  expect([bench.opens, bench.life.kind]).toEqual([1, 'waiting']);
  bench.life.stop();
  expect(bench.clock.waitingTimers()).toBe(0);
});
