/** Who is let in, and with which return code the others are sent away. */
import type { IConnectPacket } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BrokerBench, credentialOf, presence } from './broker-bench.ts';
import { closed, connectPacket, downward, nextPacket, publish, publishPacket, subscribePacket } from './packets.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

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
