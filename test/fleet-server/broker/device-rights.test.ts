/** What a device with its right credential may write, read and send. */
import { generate } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { topicFor } from '#protocol/topics.ts';
import { BrokerBench, presence } from './broker-bench.ts';
import { closed, connectPacket, downward, nextPacket, publish, subscribePacket } from './packets.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

describe('what a device may do with its right credential', () => {
  test.each([
    ['another device’s topic', topicFor('dev-two', 'presence')],
    ['its own downward topic', topicFor('dev-one', 'command')],
    ['a topic of nobody', 'msl/v1/d/dev-one/presence/more'],
  ])('a publish to %s closes the connection and reaches nobody', async (_name, topic) => {
    const other = await bench.client('dev-two');
    await other.subscribeAsync(downward('dev-two'), { qos: 1 });
    const client = await bench.client('dev-one');
    const gone = closed(client);
    client.publish(topic, presence('dev-two').payload, { qos: 1 });
    await gone;
    expect(bench.seen.messages).toEqual([]);
    expect(bench.seen.problems).toMatchObject([{ deviceId: 'dev-one', problem: { code: 'topic-refused' } }]);
  });

  test('a subscription to anything else is answered with 128, and the connection goes on', async () => {
    const socket = await bench.socket();
    const accepted = nextPacket(socket, 'connack');
    socket.write(connectPacket('dev-one'));
    await accepted;
    const answer = nextPacket(socket, 'suback');
    const topics = [
      topicFor('dev-one', 'desired'),
      topicFor('dev-two', 'desired'),
      topicFor('dev-one', 'health'),
      '#',
      'msl/v1/d/+/desired',
      'msl/v1/d/dev-one/#',
      '$SYS/#',
      `$share/group/${topicFor('dev-one', 'desired')}`,
    ];
    socket.write(subscribePacket(topics));
    expect(await answer).toMatchObject({ granted: [1, 128, 128, 128, 128, 128, 128, 128] });
    const pong = nextPacket(socket, 'pingresp');
    socket.write(generate({ cmd: 'pingreq' }));
    await pong;
  });

  test('QoS 2 is refused, and nothing is ever retained', async () => {
    const client = await bench.client('dev-one');
    await publish(client, presence('dev-one'), 1, true);
    const gone = closed(client);
    client.publish(presence('dev-one').topic, presence('dev-one').payload, { qos: 2 });
    await gone;
    expect(bench.seen.messages).toHaveLength(1);
  });

  test.each<[string, string, string | Buffer, string]>([
    [
      'another version',
      'presence',
      '{"v":2,"session":{"bootId":"b","counter":1},"sequence":1,"sentAt":"2026-01-01T00:00:00Z","body":{}}',
      'wrong-version',
    ],
    ['no JSON', 'presence', 'hello', 'not-json'],
    ['bytes that are no text', 'report', Buffer.from([0xc3, 0x28]), 'not-json'],
    ['a wrong shape', 'health', '{"v":1}', 'wrong-shape'],
    ['a preview that is no picture', 'preview', 'hello', 'not-a-jpeg'],
    ['a message larger than its topic takes', 'event', ' '.repeat(70_000), 'too-large'],
  ])('%s is a named problem, and the connection goes on', async (_name, name, payload, code) => {
    const client = await bench.client('dev-one');
    await client.publishAsync(topicFor('dev-one', name as 'presence'), payload, { qos: 1 });
    expect(bench.seen.problems).toMatchObject([{ deviceId: 'dev-one', problem: { code } }]);
    await publish(client, presence('dev-one'), 1);
    expect(bench.seen.messages).toHaveLength(1);
  });

  test('a server that fails to deal with a message loses that message, not the device', async () => {
    const failing = await new BrokerBench({
      handleUpward: () => {
        throw new Error('disk full');
      },
    }).start();
    const client = await failing.client('dev-one');
    await publish(client, presence('dev-one'), 1);
    expect(failing.seen.problems).toMatchObject([{ problem: { code: 'not-handled' } }]);
    expect(failing.broker.isConnected('dev-one')).toBe(true);
    await failing.stop();
  });
});
