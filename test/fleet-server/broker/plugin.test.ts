import Fastify from 'fastify';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { brokerPlugin } from '#fleet-server/broker/plugin.ts';
import { credentialOf, presence } from './broker-bench.ts';

test('app.broker serves the HTTP port’s /mqtt beside the routes, and a connected device does not hold up the end', async () => {
  const app = Fastify();
  app.get('/', () => 'hello');
  const names: string[] = [];
  await app.register(brokerPlugin, {
    port: 0,
    host: '127.0.0.1',
    authenticate: (deviceId, credential) => credential === credentialOf(deviceId),
    handleUpward: ({ name }) => void names.push(name),
    onPicture: () => {},
    onConnection: () => {},
  });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  expect(await (await fetch(address)).text()).toBe('hello');
  const client = await connectAsync(`${address.replace('http', 'ws')}/mqtt`, {
    clientId: 'dev-one',
    username: 'dev-one',
    password: credentialOf('dev-one'),
    keepalive: 10,
    reconnectPeriod: 0,
  });
  client.on('error', () => {});
  const { topic, payload } = presence('dev-one');
  await client.publishAsync(topic, payload, { qos: 1 });
  expect(names).toEqual(['presence']);
  expect(app.broker.isConnected('dev-one')).toBe(true);
  expect(app.broker.problem()).toBeNull();
  const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
  const started = performance.now();
  await app.close();
  await gone;
  expect(performance.now() - started).toBeLessThan(3000);
});
