/** Messages both ways, with mqtt.js as a device would use it. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { decodeDownward } from '#protocol/envelope.ts';
import { topicFor } from '#protocol/topics.ts';
import { BrokerBench, event, presence } from './broker-bench.ts';
import { deferred, downward, nextMessage, publish } from './packets.ts';

let bench: BrokerBench;
beforeEach(async () => {
  bench = await new BrokerBench().start();
});
afterEach(() => bench.stop());

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
