/** MQTT 3.1.1 to the letter, where a client sees it. The numbers are those of the statements in the specification. */
import { generate, type Packet } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { topicFor } from '#protocol/topics.ts';
import { BrokerBench, presence } from './broker-bench.ts';
import { closed, connectPacket, downward, nextPacket, publishPacket, subscribePacket } from './packets.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

/** A packet of the device’s with some of its bytes replaced. */
function changed(packet: Buffer, changes: Readonly<Record<number, number>>): Buffer {
  const bytes = Buffer.from(packet);
  for (const [at, byte] of Object.entries(changes)) bytes[Number(at)] = byte;
  return bytes;
}

/** One byte more than it needs, which its header announces. */
function longer(packet: Buffer): Buffer {
  const bytes = Buffer.concat([packet, Buffer.from([0])]);
  bytes[1] = (bytes[1] ?? 0) + 1;
  return bytes;
}

function withNumberZero(publish: Buffer): Buffer {
  const bytes = Buffer.from(publish);
  const at = bytes.indexOf('msl/v1') - 2;
  bytes.writeUInt16BE(0, at + 2 + bytes.readUInt16BE(at));
  return bytes;
}

/** In CONNECT the flags follow two bytes of header, the name "MQTT" with its length, and the level. */
const connectHeaderBytes = connectPacket('dev-one').length < 130 ? 2 : 3;
const flagsAt = connectHeaderBytes + 7;
const subscribeNumberAt = subscribePacket(downward('dev-one')).length < 130 ? 2 : 3;
const flagsOf = (packet: Buffer) => packet[flagsAt] ?? 0;

/** Longer than a test may take: what ends it is no silence. */
const keepalive = 120;

async function accepted() {
  const socket = await bench.socket();
  const answer = nextPacket(socket, 'connack');
  socket.write(connectPacket('dev-one', { keepalive }));
  await answer;
  return socket;
}

describe('a CONNECT', () => {
  const right = connectPacket('dev-one', { keepalive });
  test.each<[string, Buffer]>([
    ['with the reserved flag set (3.1.2-3)', changed(right, { [flagsAt]: flagsOf(right) | 1 })],
    ['with a quality of the will but no will (3.1.2-13)', changed(right, { [flagsAt]: flagsOf(right) | 0x08 })],
    ['with a will to be retained but no will (3.1.2-15)', changed(right, { [flagsAt]: flagsOf(right) | 0x20 })],
    ['with a password but no user name (3.1.2-22)', changed(right, { [flagsAt]: flagsOf(right) & ~0x80 })],
    ['of another protocol (3.1.2-1)', changed(right, { [connectHeaderBytes + 2]: 0x58 })],
    ['with more behind what its flags announce', longer(right)],
    ['with flags in its header (2.2.2-2)', changed(right, { 0: 0x11 })],
  ])('%s is not accepted', async (_name, packet) => {
    const socket = await bench.socket();
    const gone = closed(socket);
    socket.write(packet);
    await gone;
    expect(bench.seen.connections).toEqual([]);
  });

  test.each([2, 3, 5, 6, 7, 0x84])('of level %i is told that it is not acceptable (3.1.2-2)', async (level) => {
    const socket = await bench.socket();
    const [gone, answer] = [closed(socket), nextPacket(socket, 'connack')];
    socket.write(changed(right, { [connectHeaderBytes + 6]: level }));
    expect(await answer).toMatchObject({ returnCode: 1, sessionPresent: false });
    await gone;
    expect(bench.seen.connections).toEqual([]);
  });

  test('a second one ends the connection (3.1.0-2)', async () => {
    const socket = await accepted();
    const gone = closed(socket);
    socket.write(connectPacket('dev-one'));
    await gone;
  });

  test('nothing comes before it is answered, and no session is there (3.2.0-1, 3.2.2-1)', async () => {
    const socket = await bench.socket();
    const packets: Packet[] = [];
    const answer = nextPacket(socket, 'suback', (packet) => void packets.push(packet));
    socket.write(Buffer.concat([connectPacket('dev-one'), subscribePacket(downward('dev-one'))]));
    await answer;
    expect(packets[0]).toMatchObject({ cmd: 'connack', sessionPresent: false, returnCode: 0 });
  });
});

describe('on a connection that is accepted', () => {
  const own = publishPacket(presence('dev-one'));
  test.each<[string, Buffer]>([
    ['a PUBLISH of quality 3 (3.3.1-4)', changed(own, { 0: 0x36 })],
    ['a PUBLISH to a filter (3.3.2-2)', publishPacket({ topic: 'msl/v1/d/+/presence', payload: '' })],
    ['a PUBLISH without a topic', Buffer.from([0x30, 2, 0, 0])],
    ['a topic that is no text (1.5.3-1)', Buffer.from([0x30, 4, 0, 2, 0xc3, 0x28])],
    ['a SUBSCRIBE with wrong flags (3.8.1-1)', changed(subscribePacket(downward('dev-one')), { 0: 0x80 })],
    ['a SUBSCRIBE to nothing (3.8.3-3)', Buffer.from([0x82, 2, 0, 1])],
    ['an UNSUBSCRIBE with wrong flags (3.10.1-1)', Buffer.from([0xa0, 5, 0, 1, 0, 1, 0x61])],
    ['a packet of a kind that is none (2.2.1)', Buffer.from([0xf0, 0])],
    ['a packet that only a server sends', Buffer.from([0x20, 2, 0, 0])],
    ['a PUBLISH of quality 0 that is sent again (3.3.1-2)', changed(publishPacket({ ...presence('dev-one'), qos: 0 }), { 0: 0x38 })],
    ['a PUBLISH with the number 0 (2.3.1-1)', withNumberZero(own)],
    ['a SUBSCRIBE with the number 0 (2.3.1-1)', changed(subscribePacket(downward('dev-one')), { [subscribeNumberAt + 1]: 0 })],
    ['an UNSUBSCRIBE with the number 0 (2.3.1-1)', Buffer.from([0xa2, 5, 0, 0, 0, 1, 0x61])],
    ['an UNSUBSCRIBE of nothing (3.10.3-2)', Buffer.from([0xa2, 2, 0, 1])],
    ['a PINGREQ with something behind it (3.12)', Buffer.from([0xc0, 1, 0])],
    ['a DISCONNECT with something behind it (3.14)', Buffer.from([0xe0, 1, 0])],
    ['a length in five bytes (2.2.3)', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01])],
  ])('%s ends it, and nothing is taken', async (_name, packet) => {
    const socket = await accepted();
    const gone = closed(socket);
    socket.write(packet);
    await gone;
    expect(bench.seen.messages).toEqual([]);
  });

  test('a SUBSCRIBE that names a filter twice gets an answer for each (3.8.4-5), and the last quality counts (3.8.4-4)', async () => {
    const socket = await accepted();
    const [acks, command] = [topicFor('dev-one', 'event-ack'), topicFor('dev-one', 'command')];
    const answer = nextPacket(socket, 'suback');
    const wishes = [
      { topic: acks, qos: 1 },
      { topic: '#', qos: 1 },
      { topic: command, qos: 1 },
      { topic: acks, qos: 0 },
      { topic: '#', qos: 0 },
    ] as const;
    socket.write(generate({ cmd: 'subscribe', messageId: 7, subscriptions: [...wishes] }));
    expect(await answer).toMatchObject({ messageId: 7, granted: [1, 128, 1, 0, 128] });
    const message = nextPacket(socket, 'publish');
    await bench.broker.publish('dev-one', 'event-ack', { upToNumber: 1 });
    expect(await message).toMatchObject({ topic: acks, qos: 0 });
  });

  test('an UNSUBSCRIBE of what was never subscribed is acknowledged (3.10.4-5)', async () => {
    const socket = await accepted();
    const answer = nextPacket(socket, 'unsuback');
    socket.write(generate({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: [topicFor('dev-one', 'desired')] }));
    expect(await answer).toMatchObject({ messageId: 9 });
  });

  test('a PUBLISH is acknowledged under its own number, again when it is sent again (3.3.4-1)', async () => {
    const socket = await accepted();
    for (const bytes of [own, changed(own, { 0: (own[0] ?? 0) | 0x08 })]) {
      const answer = nextPacket(socket, 'puback');
      socket.write(bytes);
      expect(await answer).toMatchObject({ messageId: 1 });
    }
  });
});
