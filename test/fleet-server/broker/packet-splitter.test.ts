import { generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { PacketSplitter } from '#fleet-server/broker/packet-splitter.ts';

const publish = (payloadBytes: number) =>
  generate({
    cmd: 'publish',
    topic: 'msl/v1/d/dev-one/preview',
    payload: Buffer.alloc(payloadBytes, 7),
    qos: 0,
    retain: false,
    dup: false,
  });
const packets = [publish(10), publish(300), publish(70_000), generate({ cmd: 'pingreq' }), publish(0), generate({ cmd: 'disconnect' })];
const stream = Buffer.concat(packets);

test.each([1, 2, 3, 7, 64, 1000, 65_536, stream.length])('a stream cut into %i bytes is the same packets', (size) => {
  const splitter = new PacketSplitter();
  const seen: Buffer[] = [];
  for (let at = 0; at < stream.length; at += size) splitter.split(stream.subarray(at, at + size), (packet) => void seen.push(packet));
  expect(seen.map((packet) => packet.toString('hex'))).toEqual(packets.map((packet) => packet.toString('hex')));
});

test('what is not whole is held back', () => {
  const splitter = new PacketSplitter();
  const seen: number[] = [];
  const take = (packet: Buffer) => void seen.push(packet.length);
  splitter.split(publish(300).subarray(0, 200), take);
  expect(seen).toEqual([]);
  splitter.split(publish(300).subarray(200), take);
  expect(seen).toEqual([publish(300).length]);
});
