import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { comparableAddress, KernelSockets, parseSockets, type Table } from '#device/media-host/kernel-sockets.ts';
import { until } from '../../until.ts';

/** Made up after proc(5); addresses of the documentation's ranges. */
const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
   1: 0A0200C0:D431 0100000A:078F 01 0001E240:00000000 01:00000014 00000000     0        0 12 4 0 24 4 30 10 -1
   2: 0A0200C0:D432 076433C6:078F 01 00000010:00000000 00:00000000 00000000     0        0 13 1 0 24 4 30 10 -1
   3: 0A0200C0:D433 0100000A:078F 08 00000001:00000000 00:00000000 00000000     0        0 14 1 0 24 4 30 10 -1
`;
const table6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: B80D0120000000000000000002000000:D431 B80D0120000000000000000001000000:078F 01 00000007:00000000 00:00000000 00000000     0        0 21 1 0 24 4 30 10 -1
   1: 0000000000000000FFFF00000A0200C0:D434 0000000000000000FFFF00000100000A:078F 01 00000008:00000000 00:00000000 00000000     0        0 22 1 0 24 4 30 10 -1
`;

it('reads the kernel’s tables', () => {
  expect(parseSockets(table).map(({ inode, remoteAddress, waitingBytes }) => [inode, remoteAddress, waitingBytes])).toEqual([
    ['11', '0.0.0.0', 0],
    ['12', '10.0.0.1', 123_456],
    ['13', '198.51.100.7', 16],
    ['14', '10.0.0.1', 1],
  ]);
  const [six, mapped] = parseSockets(table6);
  expect(six?.remoteAddress).toBe(comparableAddress('2001:db8::1'));
  expect(mapped?.remoteAddress).toBe('10.0.0.1');
  expect(parseSockets(table).map(({ timeoutMs }) => timeoutMs)).toEqual([null, 240, 240, null]);
  expect(parseSockets('nonsense\n1: 2 3')).toEqual([]);
});

it('gives each output a connection of its own: of this process, established, to its address before any other', () => {
  const sockets = new KernelSockets({
    readTable: (name) => (name === 'tcp' ? [table] : []),
    ownInodes: () => new Set(['12', '13', '14']),
  });
  const first = sockets.claim(1935, ['198.51.100.7']);
  expect(first).toEqual({ table: 'tcp', inode: '13' });
  expect(sockets.claim(1936, ['10.0.0.1'])).toBe(null);
  const second = sockets.claim(1935, ['203.0.113.1']);
  expect(second).toEqual({ table: 'tcp', inode: '12' });
  expect(sockets.claim(1935, ['10.0.0.1'])).toBe(null);
  expect(second && sockets.waitingBytes(second, 0)).toBe(123_456);
  expect(sockets.waitingBytes({ table: 'tcp', inode: '99' }, 0)).toBe(null);
  expect(second && sockets.roundTripMs(second, 0)).toBe(40);
  expect(sockets.roundTripMs({ table: 'tcp', inode: '99' }, 0)).toBe(null);
  if (first !== null) sockets.release(first);
  expect(sockets.claim(1935, [])).toEqual(first);
});

it('reads only the table that has the connection, and that once for all that ask in one moment', () => {
  const read: Table[] = [];
  const sockets = new KernelSockets({
    readTable: (name) => {
      read.push(name);
      return [name === 'tcp' ? table : table6];
    },
    ownInodes: () => new Set(['21', '22']),
  });
  const socket = sockets.claim(1935, ['2001:db8::1']);
  const mapped = sockets.claim(1935, ['10.0.0.1']);
  expect([socket, mapped]).toEqual([
    { table: 'tcp6', inode: '21' },
    { table: 'tcp6', inode: '22' },
  ]);
  read.length = 0;
  if (socket === null || mapped === null) throw new Error('expected two connections');
  expect([sockets.waitingBytes(socket, 1000), sockets.waitingBytes(mapped, 1050)]).toEqual([7, 8]);
  expect(read).toEqual(['tcp6']);
  sockets.waitingBytes(mapped, 1100);
  expect(read).toEqual(['tcp6', 'tcp6']);
});

it('reads a table no further than to the last of its connections, wherever a piece ends', () => {
  let pieces = 0;
  const sockets = new KernelSockets({
    *readTable(name) {
      for (let at = 0; name === 'tcp' && at < table.length; at += 40) {
        pieces += 1;
        yield table.slice(at, at + 40);
      }
    },
    ownInodes: () => new Set(['12', '13']),
  });
  const socket = sockets.claim(1935, ['10.0.0.1']);
  pieces = 0;
  expect(socket && sockets.waitingBytes(socket, 0)).toBe(123_456);
  expect(pieces).toBe(Math.ceil(table.indexOf('   2:') / 40));
});

it('counts what a server that does not read leaves in the kernel', async () => {
  const server = createServer((socket) => socket.pause());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  await once(client, 'connect');
  const sockets = new KernelSockets();
  const socket = sockets.claim(port, ['127.0.0.1']);
  if (socket === null) throw new Error('expected a connection');
  expect(sockets.waitingBytes(socket, 0)).toBe(0);
  expect(sockets.roundTripMs(socket, 0)).toBeGreaterThanOrEqual(0);
  client.write(Buffer.alloc(32 * 1024 * 1024));
  await until('bytes that wait', 3000, () => (sockets.waitingBytes(socket, performance.now()) ?? 0) > 100_000);
  client.destroy();
  await until('nothing of a closed one', 3000, () => sockets.waitingBytes(socket, performance.now() + 1e6) === null);
});
