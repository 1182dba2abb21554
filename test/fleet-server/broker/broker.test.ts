/** The broker beside a server that fails, and its end. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BrokerBench, presence } from './broker-bench.ts';
import { publish } from './packets.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

test('a server that fails to note a connection does not fall over', async () => {
  const failing = await new BrokerBench({
    onConnection: () => {
      throw new Error('the store is closed');
    },
  }).start();
  const client = await failing.client('dev-one');
  await publish(client, presence('dev-one'), 1);
  await client.endAsync();
  expect(failing.seen.logged.join('\n')).toContain('the store is closed');
  await failing.stop();
});

describe('the end', () => {
  test('comes in bounded time, may be asked for twice, and calls nobody afterwards', async () => {
    await bench.client('dev-one', { will: { ...presence('dev-one', 'offline'), payload: Buffer.from('x'), qos: 1, retain: false } });
    await bench.client('dev-two', {}, `ws://127.0.0.1:${bench.httpPort}/mqtt`);
    await bench.socket();
    const before = bench.seen.connections.length;
    const started = performance.now();
    await Promise.all([bench.broker.close(), bench.broker.close()]);
    expect(performance.now() - started).toBeLessThan(2500);
    expect(bench.seen.connections).toHaveLength(before);
    expect(bench.seen.messages).toEqual([]);
    expect(await bench.broker.publish('dev-one', 'event-ack', { upToNumber: 1 })).toBe('offline');
  });
});
