import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { readPublish, writePuback, writePublish } from '#fleet-server/broker/publish-packet.ts';
import { topicFor } from '#protocol/topics.ts';

const topic = topicFor('dev-one', 'health');

function made(more: Partial<IPublishPacket> = {}): Buffer {
  const messageId = (more.qos ?? 0) > 0 ? { messageId: 300 } : {};
  return generate({ cmd: 'publish', topic, payload: 'what it says', qos: 0, retain: false, dup: false, ...messageId, ...more });
}

/** As any other client of MQTT understands it. */
function parsed(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  const reader = parser();
  reader.on('packet', (packet: Packet) => void packets.push(packet));
  reader.parse(bytes);
  return packets;
}

describe('a PUBLISH of a device', () => {
  test.each<[string, Buffer, number | null]>([
    ['of quality 0', made(), null],
    ['of quality 1', made({ qos: 1 }), 300],
    ['sent again', made({ qos: 1, dup: true }), 300],
    ['to be retained', made({ retain: true }), null],
    ['of 70 000 bytes', made({ payload: 'x'.repeat(70_000) }), null],
  ])('%s is read', (_name, packet, messageId) => {
    const read = readPublish(packet, 'dev-one');
    expect(read).toMatchObject({ name: 'health', messageId });
    expect(read?.payload.toString()).toBe((parsed(packet)[0] as IPublishPacket).payload.toString());
  });

  test.each<[string, Buffer]>([
    ['of quality 2', made({ qos: 2 })],
    ['of quality 3', Buffer.from([0x36, ...made().subarray(1)])],
    ['of quality 0 that says it is sent again (3.3.1-2)', Buffer.from([0x38, ...made().subarray(1)])],
    [
      'under the number 0 (2.3.1-1)',
      Buffer.concat([Buffer.from([0x32, 2 + topic.length + 2, 0, topic.length]), Buffer.from(`${topic}\0\0`)]),
    ],
    ['to a topic of another device', made({ topic: topicFor('dev-two', 'health') })],
    ['to one whose name only begins with it', made({ topic: topicFor('dev-one1', 'health') })],
    ['to what the server writes', made({ topic: topicFor('dev-one', 'desired') })],
    ['to what is in no table', made({ topic: `${topic}/more` })],
    ['to what every object has', made({ topic: topic.replace('health', 'constructor') })],
    ['whose topic is longer than the packet', Buffer.from([0x30, 4, 0, 200, 0x6d, 0x73])],
    ['without anything', Buffer.from([0x30, 0])],
  ])('%s is left to Aedes', (_name, packet) => {
    expect(readPublish(packet, 'dev-one')).toBeUndefined();
  });
});

describe('what is sent is understood', () => {
  test.each([0, 1, 100, 127, 128, 16_383, 16_384, 65_000])('with a payload of %i bytes', (payloadBytes) => {
    const payload = 'ü'.repeat(Math.floor(payloadBytes / 2)) + 'x'.repeat(payloadBytes % 2);
    for (const messageId of [null, 1, 65_535]) {
      const packets = parsed(writePublish(topic, payload, messageId));
      const common = { cmd: 'publish', topic, qos: messageId === null ? 0 : 1, retain: false, dup: false };
      expect(packets).toMatchObject([messageId === null ? common : { ...common, messageId }]);
      expect((packets[0] as IPublishPacket).payload.toString()).toBe(payload);
    }
  });

  test('an acknowledgement', () => {
    expect(parsed(writePuback(513))).toMatchObject([{ cmd: 'puback', messageId: 513 }]);
  });
});
