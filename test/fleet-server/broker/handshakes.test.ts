/** Real sockets against a real TLS server, from two addresses of the machine itself. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer, type Server } from 'node:tls';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { Handshakes } from '#fleet-server/broker/handshakes.ts';
import { systemClock } from '#fleet-server/clock.ts';
import { readTls } from '#fleet-server/tls/certificate.ts';
import { TlsKeeper } from '#fleet-server/tls/tls-keeper.ts';
import { until } from '../../until.ts';
import { Authority } from '../tls/authority.ts';
import { BrokerBench } from './broker-bench.ts';

let folder: string;
let server: Server;
let handshakes: Handshakes;
let port: number;
const told: string[] = [];
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'msl-handshakes-'));
  const { certFile, keyFile } = new Authority(folder).issue('server');
  told.length = 0;
  handshakes = new Handshakes((address) => told.push(address), { ofAddress: 3, total: 5 });
  server = createServer({ cert: await readFile(certFile), key: await readFile(keyFile), handshakeTimeout: 60_000 }, (socket) => {
    socket.on('error', () => undefined).write('hello');
  });
  handshakes.attach(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await once(server.close(), 'close');
  await rm(folder, { recursive: true, force: true });
});

async function silent(from: string): Promise<() => boolean> {
  const { open } = handshakes;
  const before = told.length;
  let isClosed = false;
  const socket = connectSocket({ port, host: '127.0.0.1', localAddress: from });
  socket
    .on('error', () => undefined)
    .on('close', () => (isClosed = true))
    .resume();
  sockets.push(socket);
  await until('the server has it', 5000, () => handshakes.open > open || told.length > before);
  return () => isClosed;
}

async function greeted(from: string): Promise<Socket> {
  const raw = connectSocket({ port, host: '127.0.0.1', localAddress: from });
  const socket = connectTls({ socket: raw, rejectUnauthorized: false });
  sockets.push(raw);
  const [data] = (await once(socket, 'data')) as [Buffer];
  expect(data.toString()).toBe('hello');
  return socket;
}

test('of one address so many may be under way: the first makes room, others keep their place, and whoever is through is not counted', async () => {
  const other = await silent('127.0.0.2');
  const through = [await greeted('127.0.0.1'), await greeted('127.0.0.1'), await greeted('127.0.0.1'), await greeted('127.0.0.1')];
  expect(handshakes.open).toBe(1);
  const waiting = [await silent('127.0.0.1'), await silent('127.0.0.1'), await silent('127.0.0.1')];
  expect(told).toEqual([]);
  await greeted('127.0.0.1');
  expect(told).toEqual(['127.0.0.1']);
  await until('the first is cut', 5000, () => waiting[0]?.() ?? false);
  expect([other, ...waiting.slice(1)].map((isClosed) => isClosed())).toEqual([false, false, false]);
  expect(through.some(({ destroyed }) => destroyed)).toBe(false);
});

test('of all together so many: the first of all makes room', async () => {
  const first = await silent('127.0.0.2');
  const rest = [await silent('127.0.0.1'), await silent('127.0.0.3'), await silent('127.0.0.4'), await silent('127.0.0.4')];
  await greeted('127.0.0.5');
  expect(told).toEqual(['127.0.0.2']);
  await until('the first is cut', 5000, first);
  expect(rest.map((isClosed) => isClosed())).toEqual([false, false, false, false]);
});

test('the broker keeps to it: a device is let in beside those that say nothing, and it is said', async () => {
  const files = new Authority(folder).issue('broker');
  const read = readTls(files, Date.now());
  if (read.kind === 'problem') throw new Error(read.line);
  const tls = new TlsKeeper(files, read.material, systemClock);
  const bench = await new BrokerBench({}, { tls, handshakeLimits: { ofAddress: 2, total: 3 } }).start();
  onTestFinished(() => bench.stop());
  const [first] = [await bench.socket(), await bench.socket()];
  const cut = once(first.resume(), 'close');
  const client = await bench.client('dev-1', { rejectUnauthorized: false }, `mqtts://127.0.0.1:${bench.broker.port()}`);
  expect(client.connected).toBe(true);
  await cut;
  expect(bench.seen.logged.join()).toContain('expected fewer connections at once that say nothing');
});

test('one that ends by itself is forgotten', async () => {
  for (let count = 0; count < 3; count += 1) await silent('127.0.0.1');
  sockets[0]?.destroy();
  await until('counted no more', 5000, () => handshakes.open === 2);
  await greeted('127.0.0.1');
  expect(told).toEqual([]);
});
