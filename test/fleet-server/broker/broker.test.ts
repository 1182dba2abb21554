/** The broker with real sockets: mqtt.js as a device would use it, and raw sockets for what no client would send. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Aedes } from 'aedes';
import type { MqttClient } from 'mqtt';
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { decodeDownward } from '#protocol/envelope.ts';
import { topicFor } from '#protocol/topics.ts';
import { BrokerBench, credentialOf, event, presence } from './broker-bench.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

function connectPacket(deviceId: string, more: Partial<IConnectPacket> = {}): Buffer {
  const credential = { username: deviceId, password: Buffer.from(credentialOf(deviceId)) };
  return generate({ cmd: 'connect', clientId: deviceId, protocolVersion: 4, clean: true, keepalive: 10, ...credential, ...more });
}

/** The next packet of this kind; rejects when the connection closes before. */
function nextPacket(socket: Socket, command: Packet['cmd']): Promise<Packet> {
  const packets = parser();
  return new Promise((resolve, reject) => {
    packets.on('packet', (packet: Packet) => {
      if (packet.cmd === command) resolve(packet);
    });
    socket.on('data', (chunk) => packets.parse(chunk as Buffer));
    socket.once('close', () => reject(new Error(`closed before ${command}`)));
  });
}

/** Resolves when the connection is closed, be it by a reset. */
function closed(socket: Socket | MqttClient): Promise<void> {
  if ('resume' in socket) socket.resume();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
const downward = (deviceId: string) => [topicFor(deviceId, 'desired'), topicFor(deviceId, 'command'), topicFor(deviceId, 'event-ack')];

describe('messages', () => {
  test('go up decoded and in order, and are acknowledged only when the server has dealt with them', async () => {
    const client = await bench.client('dev-one');
    await Promise.all(Array.from({ length: 100 }, (_, index) => publish(client, event('dev-one', index + 1), 1)));
    const numbers = bench.seen.messages.map(({ envelope }) => ('number' in envelope.body ? envelope.body.number : 0));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(bench.broker.figures()).toMatchObject({ connections: 1, messagesReceived: 100, problems: 0 });
  });

  test('an acknowledgement waits for the server', async () => {
    const { promise: stored, resolve: store } = deferred();
    const { promise: asked, resolve: ask } = deferred();
    const handleUpward = () => {
      ask();
      return stored;
    };
    const slow = await new BrokerBench({ handleUpward }).start();
    const client = await slow.client('dev-one');
    let isAcknowledged = false;
    const acknowledged = publish(client, event('dev-one', 1), 1).then(() => {
      isAcknowledged = true;
    });
    await asked;
    expect(isAcknowledged).toBe(false);
    store();
    await acknowledged;
    await slow.stop();
  });

  test('go down to the device, and to nobody who is not there', async () => {
    const client = await bench.client('dev-one');
    await client.subscribeAsync(downward('dev-one'), { qos: 1 });
    const arrived = nextMessage(client);
    expect(await bench.broker.publish('dev-one', 'event-ack', { upToNumber: 7 })).toBe('sent');
    const [topic, payload] = await arrived;
    expect(topic).toBe(topicFor('dev-one', 'event-ack'));
    expect(decodeDownward('event-ack', payload)).toMatchObject({ kind: 'message', envelope: { body: { upToNumber: 7 } } });
    expect(await bench.broker.publish('dev-two', 'event-ack', { upToNumber: 7 })).toBe('offline');
  });

  test('work over WebSocket as over TCP', async () => {
    const client = await bench.client('dev-one', {}, `ws://127.0.0.1:${bench.httpPort}/mqtt`);
    await client.subscribeAsync(downward('dev-one'), { qos: 1 });
    await publish(client, presence('dev-one'), 1);
    expect(bench.seen.messages).toMatchObject([{ deviceId: 'dev-one', name: 'presence' }]);
    const jpeg = Buffer.alloc(262_144);
    jpeg.set([0xff, 0xd8, 0xff]);
    client.publish(topicFor('dev-one', 'preview'), jpeg);
    await bench.until(({ previews }) => previews.length === 1);
    expect(bench.seen.previews[0]?.jpeg.equals(jpeg)).toBe(true);
    const arrived = nextMessage(client);
    expect(await bench.broker.publish('dev-one', 'event-ack', { upToNumber: 7 })).toBe('sent');
    await arrived;
  });

  test('WebSockets at any other path are refused', async () => {
    const webSocket = new WebSocket(`ws://127.0.0.1:${bench.httpPort}/mqtt/more`, 'mqtt');
    const [error] = (await once(webSocket, 'error')) as [Error];
    expect(error.message).toContain('404');
  });
});

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
    // None is awaited by the caller: this is what lost 2000 of 2000 when it went to Aedes as it came.
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

  // What the queue is for: if this ever stops losing, Aedes has been mended and the queue may become simpler.
  test('Aedes itself still loses what is overtaken', async () => {
    const aedes = await Aedes.createBroker();
    const { createServer } = await import('node:net');
    const server = createServer((socket) => void aedes.handle(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const client = await bench.client('dev-one', {}, `mqtt://127.0.0.1:${port}`);
    await client.subscribeAsync('t', { qos: 1 });
    let arrived = 0;
    const last = new Promise<void>((resolve) => {
      client.on('message', (_topic, payload) => {
        if (payload.toString() === 'last') resolve();
        else arrived += 1;
      });
    });
    const send = (payload: string, qos: 0 | 1) =>
      new Promise<void>((resolve) =>
        aedes.publish({ cmd: 'publish', topic: 't', payload, qos, retain: false, dup: false }, () => resolve()),
      );
    await Promise.all(Array.from({ length: 200 }, () => [send('overtaken', 1), send('', 0)]).flat());
    await send('last', 1);
    await last;
    expect(arrived).toBeLessThan(400);
    client.end(true);
    await new Promise<void>((resolve) => aedes.close(resolve));
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('who is let in', () => {
  test.each<[string, Partial<IConnectPacket>, number]>([
    ['a wrong credential with its own id', { password: Buffer.from('wrong') }, 4],
    ['no credential', { password: Buffer.alloc(0) }, 4],
    ['another device’s credential', { password: Buffer.from(credentialOf('dev-two')) }, 4],
    ['a user name that is not the client id', { username: 'dev-two', password: Buffer.from(credentialOf('dev-two')) }, 4],
    ['an empty client id', { clientId: '' }, 2],
    ['a client id that is no device id', { clientId: '__proto__', username: '__proto__' }, 2],
    ['a keepalive of 0', { keepalive: 0 }, 6],
    ['a keepalive of three minutes', { keepalive: 180 }, 6],
  ])('%s is refused with its return code, and gets nothing', async (_name, more, returnCode) => {
    const socket = await bench.socket();
    const answer = nextPacket(socket, 'connack');
    const gone = closed(socket);
    const messages = presence('dev-one');
    // Sent along without waiting, as one who knows the protocol may.
    socket.write(Buffer.concat([connectPacket('dev-one', more), publishPacket(messages), subscribePacket(downward('dev-one'))]));
    expect(await answer).toMatchObject({ cmd: 'connack', returnCode });
    await gone;
    expect(bench.seen.messages).toEqual([]);
    expect(bench.seen.connections).toEqual([]);
    expect(bench.broker.isConnected('dev-one')).toBe(false);
    expect(bench.seen.logged.join('\n')).not.toContain('right-credential');
  });

  test('an empty client id with clean session 0 is refused with 2, as MQTT 3.1.1 asks', async () => {
    const socket = await bench.socket();
    const answer = nextPacket(socket, 'connack');
    const packet = connectPacket('', {});
    // The client library does not write such a packet: the flag is taken back by hand (byte 9, bit 1).
    packet[9] = (packet[9] ?? 0) & ~0x02;
    socket.write(packet);
    expect(await answer).toMatchObject({ returnCode: 2 });
  });

  test('a client of MQTT 5 is told which version is spoken here', async () => {
    const socket = await bench.socket();
    const answer = nextPacket(socket, 'connack');
    socket.write(connectPacket('dev-one', { protocolVersion: 5 }));
    expect(await answer).toMatchObject({ returnCode: 1 });
  });

  test('a wrong credential does not disturb the device that is connected', async () => {
    const client = await bench.client('dev-one');
    const socket = await bench.socket();
    const gone = closed(socket);
    socket.write(connectPacket('dev-one', { password: Buffer.from('wrong') }));
    await gone;
    await publish(client, presence('dev-one'), 1);
    expect(bench.seen.connections).toEqual(['dev-one connected accepted']);
  });

  test('while the server cannot check credentials, it says that it is unavailable', async () => {
    const failing = await new BrokerBench({
      authenticate: () => {
        throw new Error('the store is closed');
      },
    }).start();
    const socket = await failing.socket();
    const answer = nextPacket(socket, 'connack');
    socket.write(connectPacket('dev-one'));
    expect(await answer).toMatchObject({ returnCode: 3 });
    await failing.stop();
  });

  test('a revoked device is thrown out', async () => {
    const client = await bench.client('dev-one');
    const gone = closed(client);
    bench.broker.disconnect('dev-one');
    await gone;
    await bench.until(({ connections }) => connections.includes('dev-one disconnected revoked'));
  });
});

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
});

describe('bytes that are no MQTT', () => {
  test('never take the broker down', async () => {
    const packets = [connectPacket('dev-one'), publishPacket(presence('dev-one')), subscribePacket(downward('dev-one'))];
    const whole = Buffer.concat(packets);
    const attempts: Buffer[] = [];
    for (let index = 0; index < 60; index += 1) attempts.push(randomBytes(200));
    // The right first byte, then noise: it reaches the parser of the broker.
    for (let index = 0; index < 60; index += 1) attempts.push(Buffer.concat([Buffer.from([0x10, 100]), randomBytes(100)]));
    // Each place of a right conversation damaged once, and the conversation cut off at each place.
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ (1 + ((randomBytes(1)[0] ?? 0) % 255));
      attempts.push(damaged, whole.subarray(0, at));
    }
    for (const type of [2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15]) {
      for (const length of [0, 1, 2, 3, 5]) {
        attempts.push(Buffer.concat([connectPacket('dev-one'), Buffer.from([type << 4, length]), randomBytes(length)]));
        attempts.push(Buffer.concat([connectPacket('dev-one'), Buffer.from([(type << 4) | 2, length]), randomBytes(length)]));
      }
    }
    for (let at = 0; at < attempts.length; at += 50) {
      await Promise.all(
        attempts.slice(at, at + 50).map(async (bytes) => {
          const socket = await bench.socket();
          const gone = closed(socket);
          socket.end(bytes);
          await gone;
        }),
      );
    }
    const client = await bench.client('dev-two');
    await publish(client, presence('dev-two'), 1);
    expect(bench.seen.messages.at(-1)?.deviceId).toBe('dev-two');
  });
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

function nextMessage(client: MqttClient): Promise<[topic: string, payload: Buffer]> {
  return new Promise((resolve) => client.once('message', (topic, payload) => resolve([topic, payload])));
}

function publish(client: MqttClient, message: { topic: string; payload: string }, qos: 0 | 1, retain = false) {
  return client.publishAsync(message.topic, message.payload, { qos, retain });
}

function publishPacket({ topic, payload, qos = 1 }: { topic: string; payload: string; qos?: 0 | 1 }): Buffer {
  return generate({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, messageId: 1 });
}

function subscribePacket(topics: readonly string[]): Buffer {
  return generate({ cmd: 'subscribe', messageId: 2, subscriptions: topics.map((topic) => ({ topic, qos: 1 })) });
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
