/** The short way past Aedes, and that nobody outside can tell it from the long one. */
import { generate, type Packet } from 'mqtt-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { topicFor } from '#protocol/topics.ts';
import { until } from '../../until.ts';
import { BrokerBench, event } from './broker-bench.ts';
import { closed, connectPacket, deferred, downward, nextPacket, publishPacket, subscribePacket } from './packets.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

/** So far that what it sends goes the short way. */
async function accepted(at = bench) {
  const socket = await at.socket();
  const answer = nextPacket(socket, 'pingresp');
  socket.write(Buffer.concat([connectPacket('dev-one'), generate({ cmd: 'pingreq' })]));
  await answer;
  return socket;
}

const numbers = () => bench.seen.messages.map(({ envelope }) => ('number' in envelope.body ? envelope.body.number : 0));

test('what comes with the CONNECT and what comes later is taken in the order of its coming', async () => {
  const socket = await bench.socket();
  const packets = Array.from({ length: 200 }, (_, index) => publishPacket(event('dev-one', index + 1)));
  const answer = nextPacket(socket, 'connack');
  socket.write(Buffer.concat([connectPacket('dev-one'), ...packets.slice(0, 10)]));
  await answer;
  for (const packet of packets.slice(10)) socket.write(packet);
  await bench.until(({ messages }) => messages.length === 200);
  expect(numbers()).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
});

test('packets that go either way, mixed and cut anywhere, are answered in full', async () => {
  const socket = await accepted();
  const answers: Packet['cmd'][] = [];
  const last = nextPacket(socket, 'pingresp', ({ cmd }) => void answers.push(cmd));
  const bytes = Buffer.concat([
    publishPacket(event('dev-one', 1)),
    subscribePacket(downward('dev-one')),
    publishPacket(event('dev-one', 2)),
    publishPacket(event('dev-one', 3)),
    generate({ cmd: 'pingreq' }),
  ]);
  for (let at = 0; at < bytes.length; at += 97) {
    socket.write(bytes.subarray(at, at + 97));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await last;
  await bench.until(({ messages }) => messages.length === 3);
  expect(numbers()).toEqual([1, 2, 3]);
  expect(answers.toSorted()).toEqual(['pingresp', 'puback', 'puback', 'puback', 'suback']);
});

test.each<[string, Buffer]>([
  ['a PUBLISH to somebody else’s topic', publishPacket({ topic: topicFor('dev-two', 'presence'), payload: '' })],
  ['a second CONNECT', connectPacket('dev-one')],
  ['a goodbye', generate({ cmd: 'disconnect' })],
])('%s ends the connection, and what came before it is taken', async (_name, packet) => {
  const socket = await accepted();
  const gone = closed(socket);
  socket.write(Buffer.concat([publishPacket(event('dev-one', 1)), packet]));
  await gone;
  await bench.until(({ connections }) => connections.length === 2);
  expect(numbers()).toEqual([1]);
});

test('a device whose messages wait is read no further, and all of them are taken in the end', async () => {
  const { promise: stored, resolve: store } = deferred();
  const slow = await new BrokerBench({ handleUpward: () => stored }).start();
  const socket = await accepted(slow);
  const payload = 'x'.repeat(400);
  const packet = publishPacket({
    ...event('dev-one', 1),
    payload: event('dev-one', 1).payload.replace('"detail":""', `"detail":"${payload}"`),
  });
  const count = 400;
  for (let index = 0; index < count; index += 1) socket.write(packet);
  // What the server has not read stays with the sender and the system between them.
  await slow.broker.publish('dev-one', 'event-ack', { upToNumber: 1 });
  expect(slow.broker.figures().messagesReceived).toBeLessThan(count);
  store();
  await slow.until(({ messages }) => messages.length === count);
  await slow.stop();
});

test('what a device asked for with quality 0 comes with quality 0, and with 1 once it has asked for that (3.8.4-6)', async () => {
  const socket = await accepted();
  const [desired, command, acknowledged] = downward('dev-one') as [string, string, string];
  const ask = async (qos: 0 | 1) => {
    const granted = nextPacket(socket, 'suback');
    const topics = [desired, command, acknowledged];
    socket.write(generate({ cmd: 'subscribe', messageId: 2, subscriptions: topics.map((topic) => ({ topic, qos })) }));
    await granted;
    const arrived = nextPacket(socket, 'publish');
    await bench.broker.publish('dev-one', 'event-ack', { upToNumber: 7 });
    return arrived;
  };
  expect(await ask(0)).toMatchObject({ topic: acknowledged, qos: 0 });
  expect(await ask(1)).toMatchObject({ topic: acknowledged, qos: 1 });
});

test('a device that only publishes outlives its keepalive, and one that falls silent does not', async () => {
  const socket = await bench.socket();
  const accepted = nextPacket(socket, 'connack');
  socket.write(connectPacket('dev-one', { keepalive: 1 }));
  await accepted;
  const gone = closed(socket);
  const beganMs = performance.now();
  let number = 0;
  await until(
    'twice the time of its keepalive to pass',
    10_000,
    async () => {
      const answer = nextPacket(socket, 'puback');
      number += 1;
      socket.write(publishPacket(event('dev-one', number)));
      await answer;
      return performance.now() - beganMs > 2000;
    },
    100,
  );
  expect(socket.destroyed).toBe(false);
  await gone;
});
