/** The real port: conversations of MQTT with flipped bits, cut off, with wrong lengths, or of bytes that are none. */
import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { topicFor } from '#protocol/topics.ts';
import { BrokerBench, event, presence } from '../fleet-server/broker/broker-bench.ts';
import { closed, connectPacket, downward, publish, publishPacket, subscribePacket } from '../fleet-server/broker/packets.ts';
import { longTimeoutMs, parameters, runs } from './inputs.ts';

let bench: BrokerBench;
beforeAll(async () => {
  bench = await new BrokerBench().start();
});
afterAll(() => bench.stop());

const damagedDevice = 'dev-damaged';
const will = {
  topic: topicFor(damagedDevice, 'presence'),
  payload: Buffer.from(presence(damagedDevice, 'offline').payload),
  qos: 1 as const,
};

/** What a device says in its life, packet by packet. */
const conversation: readonly Buffer[] = [
  connectPacket(damagedDevice, { will: { ...will, retain: false } }),
  subscribePacket(downward(damagedDevice)),
  publishPacket(presence(damagedDevice)),
  publishPacket({ ...event(damagedDevice, 1), qos: 0 }),
  generate({ cmd: 'pingreq' }),
  generate({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: downward(damagedDevice) }),
  generate({ cmd: 'puback', messageId: 1 }),
  generate({ cmd: 'pubrel', messageId: 1 }),
  generate({ cmd: 'disconnect' }),
];
const whole = Buffer.concat(conversation);

const flipped = fc.uniqueArray(fc.nat({ max: whole.length * 8 - 1 }), { minLength: 1, maxLength: 6 }).map((bits) => {
  const bytes = Buffer.from(whole);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return bytes;
});
const cut = fc.nat({ max: whole.length }).map((at) => whole.subarray(0, at));
/** The announced length of one packet is another than its own. */
const wrongLength = fc
  .tuple(fc.nat({ max: conversation.length - 1 }), fc.uint8Array({ minLength: 1, maxLength: 5 }))
  .map(([at, length]) =>
    Buffer.concat(
      conversation.map((packet, index) => (index === at ? Buffer.concat([packet.subarray(0, 1), length, packet.subarray(2)]) : packet)),
    ),
  );
const shuffled = fc
  .shuffledSubarray([...conversation], { minLength: 2 })
  .map((packets) => Buffer.concat([conversation[0] ?? Buffer.alloc(0), ...packets]));
const noise = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 300 })).map(([isAccepted, bytes]) => {
  return Buffer.concat([isAccepted ? (conversation[0] ?? Buffer.alloc(0)) : Buffer.alloc(0), bytes]);
});
const attempt = fc.record({
  bytes: fc.oneof({ weight: 4, arbitrary: flipped }, cut, wrongLength, shuffled, noise),
  /** In how many pieces it is sent, and whether the end is said or the connection simply ended. */
  pieceBytes: fc.constantFrom(1, 7, 100, 10_000),
  isReset: fc.boolean(),
});

test(
  'takes whatever comes, lets nothing through under another name, and serves the next device',
  async () => {
    let attempts = 0;
    const play = async (batch: readonly { readonly bytes: Buffer; readonly pieceBytes: number; readonly isReset: boolean }[]) => {
      await Promise.all(
        batch.map(async ({ bytes, pieceBytes, isReset }) => {
          const socket = await bench.socket();
          const gone = closed(socket);
          for (let at = 0; at < bytes.length && socket.writable; at += pieceBytes) socket.write(bytes.subarray(at, at + pieceBytes));
          if (!isReset) socket.end();
          else if (socket.writableLength > 0 && socket.writable)
            await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), gone]);
          if (isReset) socket.resetAndDestroy();
          await gone;
        }),
      );
      attempts += batch.length;
      const neighbour = await bench.client('dev-neighbour');
      await publish(neighbour, presence('dev-neighbour'), 1);
      await neighbour.endAsync();
      const others = bench.seen.messages.filter(({ deviceId }) => deviceId !== damagedDevice && deviceId !== 'dev-neighbour');
      expect(others).toEqual([]);
      expect(bench.seen.failures).toEqual([]);
      bench.seen.messages.length = 0;
      bench.seen.problems.length = 0;
      bench.seen.logged.length = 0;
    };
    const batches = fc.array(attempt, { minLength: 40, maxLength: 40 });
    await fc.assert(fc.asyncProperty(batches, play), parameters(Math.ceil(runs(10) / 40)));
    expect(attempts).toBeGreaterThan(0);
  },
  longTimeoutMs,
);
