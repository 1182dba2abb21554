import { generate } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { maxControlPacketBytes, PacketScanner } from '#fleet-server/broker/packet-scanner.ts';
import { maxPacketBytes } from '#protocol/topics.ts';

const connect = generate({ cmd: 'connect', clientId: 'dev-one', username: 'dev-one', password: Buffer.from('x'), protocolVersion: 4 });
const publish = (payloadBytes: number) =>
  generate({ cmd: 'publish', topic: 'msl/v1/d/dev-one/preview', payload: Buffer.alloc(payloadBytes), qos: 0, retain: false, dup: false });

function header(type: number, remaining: number): Buffer {
  const bytes = [type << 4];
  let left = remaining;
  do {
    bytes.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.from(bytes);
}

describe('the framing of MQTT is followed however it is cut', () => {
  const stream = Buffer.concat([connect, publish(10), publish(300), publish(70_000), generate({ cmd: 'pingreq' }), publish(0)]);
  test.each([1, 2, 3, 7, 64, 1000, 65_536, stream.length])('chunks of %i bytes', (size) => {
    const scanner = new PacketScanner();
    scanner.accept();
    for (let at = 0; at < stream.length; at += size) expect(scanner.scan(stream.subarray(at, at + size))).toBeUndefined();
    expect(scanner.sawDisconnect).toBe(false);
    expect(scanner.scan(generate({ cmd: 'disconnect' }))).toBeUndefined();
    expect(scanner.sawDisconnect).toBe(true);
  });
});

describe('limits', () => {
  test('a CONNECT that announces 200 MB is refused before its length has been read to the end', () => {
    const bytes = header(1, 200_000_000);
    const scanner = new PacketScanner();
    const refusals = [...bytes].map((byte) => scanner.scan(Uint8Array.of(byte)));
    expect(refusals.findIndex((refusal) => refusal?.kind === 'too-large')).toBeGreaterThan(0);
  });

  test.each([
    ['the largest publish', 3, maxPacketBytes - 4, undefined],
    ['one byte more', 3, maxPacketBytes - 3, 'too-large'],
    ['the largest subscribe', 8, maxControlPacketBytes - 3, undefined],
    ['a subscribe of one byte more', 8, maxControlPacketBytes - 2, 'too-large'],
  ])('%s, once accepted', (_name, type, remaining, kind) => {
    const scanner = new PacketScanner();
    scanner.scan(connect);
    scanner.accept();
    expect(scanner.scan(header(type, remaining))?.kind).toBe(kind);
  });

  test('a publish of a few KiB is refused until the connection is accepted', () => {
    const scanner = new PacketScanner();
    scanner.scan(connect);
    expect(scanner.scan(publish(5000))?.kind).toBe('too-large');
  });

  test('a length of five bytes is malformed', () => {
    const scanner = new PacketScanner();
    scanner.scan(connect);
    scanner.accept();
    expect(scanner.scan(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80))?.kind).toBe('malformed');
  });

  test('the first packet must be CONNECT', () => {
    expect(new PacketScanner().scan(publish(1))?.kind).toBe('not-connect');
    expect(new PacketScanner().scan(Buffer.from('GET / HTTP/1.1\r\n'))?.kind).toBe('not-connect');
  });
});
