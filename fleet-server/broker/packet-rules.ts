/**
 * What MQTT 3.1.1 forbids in a packet and the parser inside the broker lets pass. The numbers are those of the statements in the
 * specification. Pure.
 */
import type { PacketRefusal } from '#fleet-server/broker/packet-scanner.ts';
import { bodyAt, numberAt, packetTypes, typeOf } from '#fleet-server/broker/publish-packet.ts';

const levels = new Map([
  ['MQTT', 4],
  ['MQIsdp', 3],
]);
const unacceptableLevel = Buffer.from([0x20, 2, 0, 1]);

const flags = { will: 0x04, password: 0x40, userName: 0x80 } as const;

/** Of a whole packet. Undefined: nothing that the parser would not find by itself. */
export function findPacketFault(packet: Buffer): PacketRefusal | undefined {
  const at = bodyAt(packet);
  switch (typeOf(packet)) {
    case packetTypes.connect:
      return findConnectFault(packet, at);
    case packetTypes.publish:
      return findPublishFault(packet, at);
    case packetTypes.subscribe:
      return numberAt(packet, at) === 0 ? malformed('a SUBSCRIBE with a number (2.3.1-1)', 'got 0') : undefined;
    case packetTypes.unsubscribe:
      if (numberAt(packet, at) === 0) return malformed('an UNSUBSCRIBE with a number (2.3.1-1)', 'got 0');
      return packet.length <= at + 2 ? malformed('an UNSUBSCRIBE of at least one topic (3.10.3-2)', 'got none') : undefined;
    case packetTypes.pingreq:
    case packetTypes.disconnect:
      return packet.length > at
        ? malformed('nothing behind the header of PINGREQ and DISCONNECT', `got ${packet.length - at} bytes`)
        : undefined;
    default:
      return undefined;
  }
}

/** Filter and quality of each subscription, where one filter stands among them more than once; else null, also for what is not as it should be. */
export function readRepeatedFilters(packet: Buffer): { messageId: number; filters: { topic: string; quality: 0 | 1 | 2 }[] } | null {
  const filters: { topic: string; quality: 0 | 1 | 2 }[] = [];
  let at = bodyAt(packet);
  const messageId = numberAt(packet, at);
  at += 2;
  while (at < packet.length) {
    const end = textEnd(packet, at);
    const quality = packet[end];
    if (quality !== 0 && quality !== 1 && quality !== 2) return null;
    filters.push({ topic: packet.toString('utf8', at + 2, end), quality });
    at = end + 1;
  }
  return new Set(filters.map(({ topic }) => topic)).size === filters.length ? null : { messageId, filters };
}

function findConnectFault(packet: Buffer, bodyStart: number): PacketRefusal | undefined {
  const nameEnd = textEnd(packet, bodyStart);
  const level = levels.get(packet.toString('latin1', bodyStart + 2, nameEnd));
  // Of another protocol, or cut off: the parser's affair.
  if (level === undefined || nameEnd + 4 > packet.length) return undefined;
  if (packet[nameEnd] !== level) {
    const message = `expected MQTT 3.1.1, which is level 4, got level ${packet[nameEnd]}`;
    return { kind: 'malformed', message, answer: unacceptableLevel };
  }
  const has = packet[nameEnd + 1] ?? 0;
  const texts = 1 + ((has & flags.will) === 0 ? 0 : 2) + ((has & flags.userName) === 0 ? 0 : 1) + ((has & flags.password) === 0 ? 0 : 1);
  let at = nameEnd + 4;
  for (let text = 0; text < texts; text += 1) at = textEnd(packet, at);
  return at < packet.length ? malformed('nothing behind what the flags of CONNECT announce', `got ${packet.length - at} bytes`) : undefined;
}

function findPublishFault(packet: Buffer, at: number): PacketRefusal | undefined {
  const first = packet[0] ?? 0;
  const quality = (first >> 1) & 0x03;
  if (quality === 0)
    return (first & 0x08) === 0
      ? undefined
      : malformed('a PUBLISH of quality 0 to be sent once (3.3.1-2)', 'got one that says it is sent again');
  const idAt = textEnd(packet, at);
  return idAt + 2 <= packet.length && numberAt(packet, idAt) === 0 ? malformed('a PUBLISH with a number (2.3.1-1)', 'got 0') : undefined;
}

function malformed(expected: string, came: string): PacketRefusal {
  return { kind: 'malformed', message: `expected ${expected}, ${came}` };
}

/** Behind a text with its length before it; may be beyond the packet's end. */
function textEnd(packet: Buffer, at: number): number {
  return at + 2 + numberAt(packet, at);
}
