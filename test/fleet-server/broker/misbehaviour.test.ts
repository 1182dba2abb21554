/** Devices that send what no healthy one would. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { topicFor } from '#protocol/topics.ts';
import { BrokerBench, event, presence } from './broker-bench.ts';
import { closed, connectPacket, nextPacket, publish, publishPacket } from './packets.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

describe('a device that sends too much', () => {
  test('is slowed, and another is served meanwhile', async () => {
    const flooding = await bench.socket();
    const accepted = nextPacket(flooding, 'connack');
    flooding.write(connectPacket('dev-one'));
    await accepted;
    const other = await bench.client('dev-two');
    const flood = Buffer.concat(Array.from({ length: 5000 }, () => publishPacket({ ...event('dev-one', 1), qos: 0 })));
    flooding.write(flood);
    await bench.until(({ problems }) => problems.some(({ problem }) => problem.code === 'flooding'));
    const started = performance.now();
    await publish(other, presence('dev-two'), 1);
    expect(performance.now() - started).toBeLessThan(1000);
    const received = bench.seen.messages.filter(({ deviceId }) => deviceId === 'dev-one').length;
    expect(received).toBeLessThan(600);
    expect(bench.seen.problems.every(({ deviceId }) => deviceId === 'dev-one')).toBe(true);
  });

  test('10 MB in one message cost their sender the connection, and the server no memory', async () => {
    const socket = await bench.socket();
    const accepted = nextPacket(socket, 'connack');
    socket.write(connectPacket('dev-one'));
    await accepted;
    const other = await bench.client('dev-two');
    const gone = closed(socket);
    const megabytes = 10;
    const packet = publishPacket({ topic: topicFor('dev-one', 'preview'), payload: 'x'.repeat(megabytes * 1_000_000) });
    const before = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < packet.length && !socket.destroyed; at += 65_536) {
      if (!socket.write(packet.subarray(at, at + 65_536)))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), gone]);
    }
    await gone;
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
    await bench.until(({ problems }) =>
      problems.some(({ deviceId, problem }) => deviceId === 'dev-one' && problem.code === 'packet-refused'),
    );
    await publish(other, presence('dev-two'), 1);
    expect(bench.seen.messages).toMatchObject([{ deviceId: 'dev-two' }]);
  });
});
