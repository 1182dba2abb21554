/**
 * PUBLISH and PUBACK of MQTT 3.1.1 (sections 3.3 and 3.4), as far as devices and this server have reason to send them: what is anything else
 * is left to Aedes, which knows what to answer.
 */
import { ownUpwardTopic, type UpwardTopic } from '#protocol/topics.ts';

export const packetTypes = { connect: 1, publish: 3, puback: 4, subscribe: 8, unsubscribe: 10, pingreq: 12, disconnect: 14 } as const;

export type DevicePublish = {
  readonly name: UpwardTopic;
  readonly payload: Buffer;
  /** Null: of quality 0, which is not acknowledged. */
  readonly messageId: number | null;
};

export function typeOf(packet: Buffer): number {
  return (packet[0] ?? 0) >> 4;
}

/** Of a whole packet of this type. Undefined: it is to no topic that this device may write to, or not as it should be. */
export function readPublish(packet: Buffer, deviceId: string): DevicePublish | undefined {
  const flags = (packet[0] ?? 0) & 0x0f;
  const quality = (flags >> 1) & 0x03;
  const isAgain = (flags & 0x08) !== 0;
  if (quality > 1 || (quality === 0 && isAgain)) return undefined;
  const at = bodyAt(packet);
  const topicAt = at + 2;
  const idAt = topicAt + numberAt(packet, at);
  const payloadAt = idAt + (quality === 1 ? 2 : 0);
  if (payloadAt > packet.length) return undefined;
  // No byte above 127 is in any of our topics: whatever it stands for, the text is another.
  const name = ownUpwardTopic(deviceId, packet.toString('latin1', topicAt, idAt));
  const messageId = quality === 1 ? numberAt(packet, idAt) : null;
  if (name === undefined || messageId === 0) return undefined;
  return { name, payload: packet.subarray(payloadAt), messageId };
}

/** Behind the header. */
export function bodyAt(packet: Buffer): number {
  let at = 1;
  while ((packet[at] ?? 0) >= 0x80) at += 1;
  return at + 1;
}

/** Of two bytes; bytes beyond the packet's end count as 0. */
export function numberAt(packet: Buffer, at: number): number {
  return ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0);
}

/** `messageId` null: of quality 0. Topic and payload as text, which is sent as UTF-8. */
export function writePublish(topic: string, payload: string, messageId: number | null): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const payloadBytes = Buffer.byteLength(payload);
  const remaining = 2 + topicBytes + (messageId === null ? 0 : 2) + payloadBytes;
  const packet = Buffer.allocUnsafe(1 + lengthBytes(remaining) + remaining);
  packet[0] = (packetTypes.publish << 4) | (messageId === null ? 0 : 0x02);
  let at = 1;
  for (let left = remaining; at === 1 || left > 0; at += 1) {
    packet[at] = (left & 0x7f) | (left >= 0x80 ? 0x80 : 0);
    left = Math.floor(left / 128);
  }
  at = packet.writeUInt16BE(topicBytes, at);
  at += packet.write(topic, at);
  if (messageId !== null) at = packet.writeUInt16BE(messageId, at);
  packet.write(payload, at);
  return packet;
}

function lengthBytes(remaining: number): number {
  if (remaining < 128) return 1;
  return remaining < 16_384 ? 2 : remaining < 2_097_152 ? 3 : 4;
}

export function writePuback(messageId: number): Buffer {
  return Buffer.from([packetTypes.puback << 4, 2, messageId >> 8, messageId & 0xff]);
}
