import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '#device/media/clock.ts';
import { comparableAddress, KernelSockets, parseSockets, type Table } from '#device/media-host/kernel-sockets.ts';
import { ReachabilityProbe } from '#device/media-host/reachability-probe.ts';
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

/** The kernel's side of a test: which of the rows above are ours, and which of those carry no stream. */
function kernel(ownInodes: readonly string[], otherPorts: readonly number[] = []) {
  const own = new Set(ownInodes);
  const others = new Set(otherPorts);
  const readTable = (name: Table) => (name === 'tcp' ? [table] : []);
  const close = (inode: string) => own.delete(inode);
  return {
    own,
    others,
    sockets: new KernelSockets({ readTable, ownInodes: () => own, otherPorts: () => others, packetCounts: () => null, close }),
  };
}

it('gives each output a connection of its own: of this process, established, to its address where there are several', () => {
  const { sockets } = kernel(['12', '13', '14']);
  const [one, other, elsewhere] = [sockets.begin('one', 1935, 0), sockets.begin('other', 1935, 0), sockets.begin('other', 1936, 0)];
  sockets.recognise(elsewhere, ['10.0.0.1']);
  sockets.recognise(other, ['203.0.113.1']);
  expect([elsewhere.socket, other.socket]).toEqual([null, null]);
  sockets.recognise(one, ['198.51.100.7']);
  sockets.recognise(other, []);
  expect([one.socket, other.socket]).toEqual([
    { table: 'tcp', inode: '13' },
    { table: 'tcp', inode: '12' },
  ]);
  const { socket } = other;
  expect(socket && [sockets.waitingBytes(socket, 0), sockets.roundTripMs(socket, 0)]).toEqual([123_456, 40]);
  expect(sockets.waitingBytes({ table: 'tcp', inode: '99' }, 0)).toBe(null);
  expect(sockets.roundTripMs({ table: 'tcp', inode: '99' }, 0)).toBe(null);
  sockets.end(one);
  sockets.closeLost(performance.now() + 60_000);
  const next = sockets.begin('one', 1935, 0);
  sockets.recognise(next, []);
  expect(next.socket).toEqual(one.socket);
});

it('says nothing of two to one address, and takes none that carries no stream', () => {
  const { sockets, own, others } = kernel(['12']);
  others.add(0xd431);
  const carrier = sockets.begin('one', 1935, 0);
  sockets.recognise(carrier, ['10.0.0.1']);
  expect(carrier.socket).toBe(null);
  own.add('13');
  others.clear();
  sockets.recognise(carrier, ['10.0.0.1', '198.51.100.7']);
  expect(carrier.socket).toBe(null);
  others.add(0xd432);
  sockets.recognise(carrier, []);
  expect(carrier.socket).toEqual({ table: 'tcp', inode: '12' });
});

it('lets one begin after the other to one host and port: as soon as the former is known, is open or is no more', () => {
  const { sockets, own } = kernel([]);
  const place = { host: 'one', port: 1935 };
  const former = sockets.begin('one', 1935, 0);
  expect([sockets.mayBegin(place, 8000), sockets.mayBegin({ ...place, port: 1936 }, 0)]).toEqual([false, true]);
  own.add('12');
  expect([sockets.mayBegin(place, 8050), sockets.mayBegin(place, 8100)]).toEqual([false, true]);
  expect(former.socket).toEqual({ table: 'tcp', inode: '12' });

  const next = sockets.begin('one', 1935, 8100);
  expect(sockets.mayBegin(place, 8200)).toBe(false);
  sockets.recognise(next, []);
  expect([next.socket, sockets.mayBegin(place, 8200)]).toEqual([null, true]);

  const last = sockets.begin('one', 1935, 8200);
  expect(sockets.mayBegin(place, 8300)).toBe(false);
  sockets.end(last);
  expect(sockets.mayBegin(place, 8300)).toBe(true);
});

it('lets one to another host begin after a moment, and takes neither for the other', () => {
  const { sockets, own } = kernel([]);
  const first = sockets.begin('one', 1935, 0);
  const place = { host: 'other', port: 1935 };
  expect([sockets.mayBegin(place, 200), sockets.mayBegin(place, 300)]).toEqual([false, true]);
  const second = sockets.begin('other', 1935, 300);
  own.add('12');
  expect(sockets.mayBegin({ host: 'one', port: 1935 }, 5000)).toBe(false);
  expect([first.socket, second.socket]).toEqual([null, null]);
  sockets.recognise(second, ['198.51.100.7']);
  expect(second.socket).toEqual({ table: 'tcp', inode: '12' });
});

describe('a socket that its sink has lost', () => {
  const place = { host: 'one', port: 1935 };
  const later = () => performance.now() + 60_000;

  it('is closed, is nobody else’s, and the next one waits for that', () => {
    const { sockets, own } = kernel(['12', '14']);
    sockets.end(sockets.begin('one', 1935, 0));
    own.add('13');
    expect(sockets.mayBegin(place, 0)).toBe(false);
    sockets.closeLost(performance.now());
    expect([...own]).toEqual(['12', '14', '13']);
    sockets.closeLost(later());
    expect([...own]).toEqual(['13']);
    expect(sockets.mayBegin(place, 0)).toBe(true);
    const next = sockets.begin('one', 1935, 0);
    sockets.recognise(next, []);
    expect(next.socket).toEqual({ table: 'tcp', inode: '13' });
  });

  it('is not one that was open, one to another port, one that another output has, or one that carries no stream', () => {
    const { sockets, own, others } = kernel(['12', '13']);
    others.add(0xd432);
    const carrier = sockets.begin('one', 1935, 0);
    sockets.recognise(carrier, []);
    sockets.end(sockets.begin('one', 1935, 0));
    sockets.end(sockets.begin('one', 1936, 0));
    sockets.closeLost(later());
    expect(carrier.socket?.inode).toBe('12');
    sockets.end(carrier);
    sockets.closeLost(later());
    expect([...own]).toEqual(['12', '13']);
  });

  it('is only known for one when all others to its port are', () => {
    const { sockets, own } = kernel(['12']);
    const other = sockets.begin('other', 1935, 0);
    sockets.end(sockets.begin('one', 1935, 0));
    sockets.closeLost(later());
    own.add('13');
    sockets.recognise(other, ['198.51.100.7']);
    sockets.closeLost(performance.now());
    sockets.closeLost(later());
    expect([...own]).toEqual(['13']);
  });
});

it('reads only the table that has the connection, and that once for all that ask in one moment', () => {
  const read: Table[] = [];
  const sockets = new KernelSockets({
    readTable: (name) => {
      read.push(name);
      return [name === 'tcp' ? table : table6];
    },
    ownInodes: () => new Set(['21', '22']),
    otherPorts: () => new Set(),
    packetCounts: () => null,
    close: () => undefined,
  });
  const [six, four] = [sockets.begin('six', 1935, 0), sockets.begin('four', 1935, 0)];
  sockets.recognise(six, ['2001:db8::1']);
  sockets.recognise(four, ['10.0.0.1']);
  const [socket, mapped] = [six.socket, four.socket];
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

it('reads a table no further than to the last of its connections, wherever a piece ends, and asks for so much the next time', () => {
  const asked: number[] = [];
  let pieces = 0;
  const sockets = new KernelSockets({
    *readTable(name, expectedBytes) {
      asked.push(expectedBytes);
      for (let at = 0; name === 'tcp' && at < table.length; at += 40) {
        pieces += 1;
        yield table.slice(at, at + 40);
      }
    },
    ownInodes: () => new Set(['12', '13']),
    otherPorts: () => new Set(),
    packetCounts: () => null,
    close: () => undefined,
  });
  const carrier = sockets.begin('one', 1935, 0);
  sockets.recognise(carrier, ['10.0.0.1']);
  const { socket } = carrier;
  pieces = 0;
  asked.length = 0;
  const rowEnd = table.indexOf('   2:');
  for (const nowMs of [0, 1000]) expect(socket && sockets.waitingBytes(socket, nowMs)).toBe(123_456);
  expect(pieces).toBe(2 * Math.ceil(rowEnd / 40));
  expect(asked).toEqual([0, rowEnd]);
});

it('does not take another field for an inode', () => {
  const owner = '   0: 0A0200C0:D432 076433C6:078F 01 00000010:00000000 00:00000000 00000000    12        0 13 1 0 24 4 30 10 -1';
  const [heading = '', , ...rows] = table.split('\n');
  const sockets = new KernelSockets({
    readTable: (name) => (name === 'tcp' ? [[heading, owner, ...rows].join('\n')] : []),
    ownInodes: () => new Set(['12']),
    otherPorts: () => new Set(),
    packetCounts: () => null,
    close: () => undefined,
  });
  const carrier = sockets.begin('one', 1935, 0);
  sockets.recognise(carrier, []);
  expect(carrier.socket && sockets.waitingBytes(carrier.socket, 0)).toBe(123_456);
});

it('is to be looked at soon where more packets are under way than of late, however dear a look is', () => {
  const counts = { sent: 1000, delivered: 1000 };
  let readings = 0;
  const sockets = new KernelSockets({
    readTable: () => [],
    packetCounts: () => {
      readings += 1;
      return counts;
    },
    ownInodes: () => new Set(),
    otherPorts: () => new Set(),
    close: () => undefined,
  });
  expect([sockets.lookIntervalMs(false, 0), sockets.lookIntervalMs(true, 0), sockets.longestIntervalMs(false)]).toEqual([500, 200, 500]);
  counts.sent += 20;
  expect(sockets.lookIntervalMs(false, 50)).toBe(500);
  expect([sockets.lookIntervalMs(false, 100), sockets.longestIntervalMs(false)]).toEqual([200, 500]);
  counts.delivered += 20;
  expect(sockets.lookIntervalMs(false, 200)).toBe(500);
  expect(readings).toBe(3);
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
  const carrier = sockets.begin('127.0.0.1', port, 0);
  sockets.recognise(carrier, ['127.0.0.1']);
  const { socket } = carrier;
  if (socket === null) throw new Error('expected a connection');
  expect(sockets.waitingBytes(socket, 0)).toBe(0);
  expect(sockets.roundTripMs(socket, 0)).toBeGreaterThanOrEqual(0);
  client.write(Buffer.alloc(32 * 1024 * 1024));
  await until('bytes that wait', 3000, () => (sockets.waitingBytes(socket, performance.now()) ?? 0) > 100_000);
  client.destroy();
  await until('nothing of a closed one', 3000, () => sockets.waitingBytes(socket, performance.now() + 1e6) === null);
});

it('takes the probe’s connection for nobody’s, in the moment in which the server has it and the probe does not know', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const due: (() => void)[] = [];
  const schedule = (callback: () => void) => {
    due.push(callback);
    return () => undefined;
  };
  const probe = new ReachabilityProbe({ clock: { ...systemClock, schedule }, random: () => 0, onReachable: () => undefined });
  onTestFinished(() => probe.stop());
  const accepted = once(server, 'connection');
  probe.start({ host: '127.0.0.1', port });
  due[0]?.();
  // Nothing that arrives is told before the next turn of the loop, which is not yet.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const row = ` 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 01 `;
  const deadline = performance.now() + 3000;
  while (!readFileSync('/proc/self/net/tcp', 'utf8').includes(row)) if (performance.now() > deadline) throw new Error(`expected ${row}`);
  const sockets = new KernelSockets();
  const carrier = sockets.begin('127.0.0.1', port, 0);
  sockets.recognise(carrier, ['127.0.0.1']);
  expect(carrier.socket).toBe(null);
  await accepted;
});
