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

/** In CONNECT the flags follow two bytes of header, the name "MQTT" with its length, and the level. */
const connectHeaderBytes = connectPacket('dev-one').length < 130 ? 2 : 3;
const flagsAt = connectHeaderBytes + 7;
const flagsOf = (packet: Buffer) => packet[flagsAt] ?? 0;

async function accepted() {
  const socket = await bench.socket();
  const answer = nextPacket(socket, 'connack');
  socket.write(connectPacket('dev-one'));
  await answer;
  return socket;
}

describe('a CONNECT', () => {
  const right = connectPacket('dev-one');
  test.each<[string, Buffer]>([
    ['with the reserved flag set (3.1.2-3)', changed(right, { [flagsAt]: flagsOf(right) | 1 })],
    ['with a quality of the will but no will (3.1.2-13)', changed(right, { [flagsAt]: flagsOf(right) | 0x08 })],
    ['with a will to be retained but no will (3.1.2-15)', changed(right, { [flagsAt]: flagsOf(right) | 0x20 })],
    ['with a password but no user name (3.1.2-22)', changed(right, { [flagsAt]: flagsOf(right) & ~0x80 })],
    ['of another protocol (3.1.2-1)', changed(right, { [connectHeaderBytes + 2]: 0x58 })],
    ['with flags in its header (2.2.2-2)', changed(right, { 0: 0x11 })],
  ])('%s is not accepted', async (_name, packet) => {
    const socket = await bench.socket();
    const gone = closed(socket);
    socket.write(packet);
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
    ['a length in five bytes (2.2.3)', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01])],
  ])('%s ends it, and nothing is taken', async (_name, packet) => {
    const socket = await accepted();
    const gone = closed(socket);
    socket.write(packet);
    await gone;
    expect(bench.seen.messages).toEqual([]);
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
