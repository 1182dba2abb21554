/** A second connection of one device. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BrokerBench, presence } from './broker-bench.ts';
import { closed, downward, nextMessage, publish } from './packets.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

describe('a second connection of one device', () => {
  test('takes over: the old one is closed, and its end does not count as the device’s', async () => {
    const will = (counter: number) => {
      const { topic, payload } = presence('dev-one', 'offline', counter);
      return { topic, payload: Buffer.from(payload), qos: 1 as const, retain: false };
    };
    const old = await bench.client('dev-one', { will: will(1) });
    const gone = closed(old);
    const fresh = await bench.client('dev-one', { will: will(2) });
    await gone;
    await bench.until(({ messages }) => messages.length === 1);
    expect(bench.seen.messages).toMatchObject([{ envelope: { session: { counter: 1 }, body: { state: 'offline' } } }]);
    expect(bench.seen.connections).toEqual(['dev-one connected accepted', 'dev-one connected taken-over']);
    await fresh.subscribeAsync(downward('dev-one'), { qos: 1 });
    const arrived = nextMessage(fresh);
    expect(await bench.broker.publish('dev-one', 'event-ack', { upToNumber: 1 })).toBe('sent');
    await arrived;
    await fresh.endAsync();
    await bench.until(({ connections }) => connections.at(-1) === 'dev-one disconnected goodbye');
  });

  test('thirty at once: one is left, and it works', async () => {
    const clients = await Promise.allSettled(Array.from({ length: 30 }, () => bench.client('dev-one')));
    expect(clients.some(({ status }) => status === 'fulfilled')).toBe(true);
    await bench.until(() => bench.broker.isConnected('dev-one'));
    const survivor = await bench.client('dev-one');
    await publish(survivor, presence('dev-one'), 1);
    expect(bench.broker.figures().connections).toBe(1);
    await survivor.endAsync();
    await bench.until(({ connections }) => connections.at(-1)?.startsWith('dev-one disconnected') === true);
    expect(bench.broker.isConnected('dev-one')).toBe(false);
  });
});
