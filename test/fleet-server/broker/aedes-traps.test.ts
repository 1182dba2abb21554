/** What Aedes by itself does wrong, and that it does not happen here. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeDownward } from '#protocol/envelope.ts';
import { topicFor } from '#protocol/topics.ts';
import { BrokerBench, presence } from './broker-bench.ts';
import { closed, connectPacket, downward, nextPacket, publish } from './packets.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

describe('the traps of Aedes', () => {
  test('a later message that overtakes an earlier one does not silence it: 2000 of 2000 arrive', async () => {
    const client = await bench.client('dev-one');
    await client.subscribeAsync(downward('dev-one'), { qos: 1 });
    const numbers: number[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('message', (_topic, payload) => {
        const decoded = decodeDownward('event-ack', payload);
        if (decoded.kind === 'message') numbers.push(decoded.envelope.body.upToNumber);
        if (numbers.length === 2000) resolve();
      });
    });
    // None is awaited by the caller: this is what lost 2000 of 2000 when it went to Aedes, which drops what a later message has overtaken.
    const outcomes = Array.from({ length: 2000 }, (_, index) => bench.broker.publish('dev-one', 'event-ack', { upToNumber: index }));
    expect((await Promise.all(outcomes)).filter((outcome) => outcome === 'sent')).toHaveLength(2000);
    await all;
    expect(numbers).toEqual(Array.from({ length: 2000 }, (_, index) => index));
  });

  test('a CONNECT that announces 200 MB is closed at once, and nothing of it is kept', async () => {
    const socket = await bench.socket();
    const before = process.memoryUsage().arrayBuffers;
    socket.write(Buffer.from([0x10, 0x80, 0x84, 0xaf, 0x5f]));
    const gone = closed(socket);
    const block = Buffer.alloc(65_536);
    for (let index = 0; index < 500 && !socket.destroyed; index += 1) {
      if (!socket.write(block)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), gone]);
    }
    await gone;
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
    expect(bench.seen.logged.join('\n')).toContain('packet-refused');
  });

  test('clean session 0 is made clean: no session is there later, and no queue grows for a device that is away', async () => {
    const first = await bench.client('dev-one', { clean: false });
    await first.subscribeAsync(downward('dev-one'), { qos: 1 });
    await first.endAsync();
    await bench.until(({ connections }) => connections.length === 2);
    const outcomes = Array.from({ length: 1000 }, (_, index) => bench.broker.publish('dev-one', 'event-ack', { upToNumber: index }));
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['offline']));
    const socket = await bench.socket();
    const answer = nextPacket(socket, 'connack');
    socket.write(connectPacket('dev-one', { clean: false }));
    expect(await answer).toMatchObject({ returnCode: 0, sessionPresent: false });
  });

  test.each([
    ['another device’s topic', topicFor('dev-two', 'presence')],
    ['its own downward topic', topicFor('dev-one', 'desired')],
    ['$SYS', '$SYS/x/new/clients'],
    ['a topic of nobody', 'somewhere/else'],
  ])('a last will to %s is refused when it connects, not when it fires', async (_name, topic) => {
    const socket = await bench.socket();
    const answer = nextPacket(socket, 'connack');
    socket.write(connectPacket('dev-one', { will: { topic, payload: Buffer.from('dev-two'), qos: 1, retain: false } }));
    expect(await answer).toMatchObject({ returnCode: 5 });
    expect(bench.seen.connections).toEqual([]);
  });

  test('a last will to its own topic fires when the device is lost', async () => {
    const will = presence('dev-one', 'offline');
    const client = await bench.client('dev-one', { will: { ...will, payload: Buffer.from(will.payload), qos: 1, retain: true } });
    client.stream.destroy();
    await bench.until(({ messages, connections }) => messages.length === 1 && connections.length === 2);
    expect(bench.seen.messages).toMatchObject([{ name: 'presence', envelope: { body: { state: 'offline' } } }]);
    expect(bench.seen.connections).toEqual(['dev-one connected accepted', 'dev-one disconnected connection-lost']);
  });

  test('nobody is thrown out by a message to $SYS: the sender is closed, the other stays', async () => {
    const other = await bench.client('dev-two');
    const client = await bench.client('dev-one');
    const gone = closed(client);
    client.publish('$SYS/some-broker/new/clients', 'dev-two', { qos: 1 });
    await gone;
    await publish(other, presence('dev-two'), 1);
    expect(bench.broker.isConnected('dev-two')).toBe(true);
  });
});
