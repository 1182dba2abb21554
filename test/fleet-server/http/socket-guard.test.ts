/** Real sockets against the real HTTP server and the real broker. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { connectAsync } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { brokerPlugin } from '#fleet-server/broker/plugin.ts';
import { createServer } from '#fleet-server/http/server.ts';
import type { SocketLimits } from '#fleet-server/http/socket-guard.ts';
import { until } from '../../until.ts';
import { credentialOf } from '../broker/broker-bench.ts';

let app: FastifyInstance;
let port = 0;
const lines: string[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

const patient: SocketLimits = { total: 40, ofAddress: 5, headersMs: 60_000, requestMs: 60_000, silentMs: 60_000 };

async function start(socketLimits: SocketLimits, isTrustedProxy: (address: string) => boolean = () => false): Promise<void> {
  lines.length = 0;
  const stream = { write: (line: string) => void lines.push(line) };
  app = createServer({ logger: { level: 'warn', stream }, checkAnswers: true, socketLimits, isTrustedProxy });
  app.get('/', () => 'hello');
  app.post('/', () => 'taken');
  await app.register(brokerPlugin, {
    port: 0,
    authenticate: (deviceId, credential) => credential === credentialOf(deviceId),
    handleUpward: () => {},
    onPicture: () => {},
    onConnection: () => {},
    onWebSocket: (socket) => app.httpSockets.release(socket),
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const address = app.server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
}

/** `from`: the addresses of the machine itself are all those of 127.0.0.0/8. */
async function open(from = '127.0.0.1'): Promise<{ readonly socket: Socket; readonly isClosed: () => boolean }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  sockets.push(socket);
  let isClosed = false;
  socket.on('error', () => undefined).on('close', () => (isClosed = true));
  await once(socket, 'connect');
  socket.resume();
  return { socket, isClosed: () => isClosed };
}

async function answerTo(request: string, from?: string): Promise<string> {
  const { socket } = await open(from);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const closed = once(socket, 'close');
  socket.write(request);
  await closed;
  return text;
}
const get = 'GET / HTTP/1.1\r\nHost: fleet\r\nConnection: close\r\n\r\n';

test('one address has so many places, and who is one too many is cut at once; others are served, and it is said once', async () => {
  await start(patient);
  const silent = [];
  for (let count = 0; count < 5; count += 1) silent.push(await open());
  await until('counted', 5000, () => app.httpSockets.open === 5);
  for (let count = 0; count < 3; count += 1) {
    const one = await open();
    await until('cut', 5000, one.isClosed);
  }
  expect(silent.some(({ isClosed }) => isClosed())).toBe(false);
  expect(await answerTo(get, '127.0.0.2')).toContain('hello');
  expect(app.httpSockets.refused).toBe(3);
  expect(lines.filter((line) => line.includes('http-connections'))).toHaveLength(1);
  silent[0]?.socket.destroy();
  await until('a place is free', 5000, () => app.httpSockets.open === 4);
  expect(await answerTo(get)).toContain('hello');
});

test('behind a proxy whose word counts there are many; the bound of all holds', async () => {
  await start({ ...patient, total: 8 }, (address) => address === '127.0.0.3');
  const proxied = [];
  for (let count = 0; count < 8; count += 1) proxied.push(await open('127.0.0.3'));
  await until('counted', 5000, () => app.httpSockets.open === 8);
  expect(proxied.some(({ isClosed }) => isClosed())).toBe(false);
  const one = await open('127.0.0.2');
  await until('cut', 5000, one.isClosed);
});

test('who says nothing, or a byte now and then, or does not end its request, is cut in time', async () => {
  await start({ ...patient, headersMs: 200, requestMs: 400 });
  const silent = await open();
  const slow = await open();
  slow.socket.write('GET / HTTP/1.1\r\n');
  const trickle = setInterval(() => slow.socket.write('x: y\r\n'), 50);
  const unfinished = await open();
  unfinished.socket.write('POST / HTTP/1.1\r\nHost: fleet\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{');
  for (const one of [silent, slow, unfinished]) await until('cut', 10_000, one.isClosed);
  clearInterval(trickle);
  await until('counted no more', 5000, () => app.httpSockets.open === 0);
  expect(await answerTo(get)).toContain('hello');
});

test('devices over WebSocket take no place: the broker has bounds of its own; what is no WebSocket of theirs is ended', async () => {
  await start(patient);
  const clients = [];
  for (let count = 0; count < 7; count += 1) {
    const id = `dev-${count}`;
    const options = { clientId: id, username: id, password: credentialOf(id), reconnectPeriod: 0 };
    clients.push(await connectAsync(`ws://127.0.0.1:${port}/mqtt`, options));
  }
  expect(app.httpSockets.open).toBe(0);
  expect(app.broker.figures().connections).toBe(7);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nHost: fleet\r\n\r\n';
  expect(await answerTo(`GET /elsewhere HTTP/1.1\r\n${upgrade}`)).toContain('404');
  // Without a key it is no handshake.
  expect(await answerTo(`GET /mqtt HTTP/1.1\r\n${upgrade}`)).toContain('400');
  await until('counted no more', 5000, () => app.httpSockets.open === 0);
  for (const client of clients) await client.endAsync(true);
});
