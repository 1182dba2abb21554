import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PacketsUnderWay, parsePacketCounts } from '#device/media-host/packets-under-way.ts';

it('reads the kernel’s counts, by their names', () => {
  const netstat = 'TcpExt: SyncookiesSent TCPDelivered TCPOrigDataSent\nTcpExt: 0 12 34\nIpExt: InNoRoutes\nIpExt: 5\n';
  expect(parsePacketCounts(netstat)).toEqual({ sent: 34, delivered: 12 });
  expect(parsePacketCounts(readFileSync('/proc/self/net/netstat', 'latin1'))).toEqual({
    sent: expect.any(Number),
    delivered: expect.any(Number),
  });
});

it.each(['', 'nonsense', 'TcpExt: TCPDelivered\nTcpExt: 12\n', 'TcpExt: TCPDelivered TCPOrigDataSent\nTcpExt: 12\n'])(
  'knows nothing where the kernel does not say (%j)',
  (netstat) => {
    expect(parsePacketCounts(netstat)).toBe(null);
  },
);

/** What is under way at each reading, of a machine whose connections were opened and ended a thousand times. */
function told(underWay: readonly number[]): readonly boolean[] {
  const packets = new PacketsUnderWay();
  return underWay.map((each, index) => packets.add({ sent: 1000 * index + each, delivered: 1000 * index + 1000 }));
}

it('tells of packets that pile up', () => {
  expect(told([0, 3, 4, 20, 40])).toEqual([false, false, false, true, true]);
  expect(told([50, 50, 2, 3])).toEqual([false, false, false, false]);
});

it('does not go on about those that will never arrive', () => {
  const readings = told([0, ...Array.from({ length: 60 }, () => 20)]);
  expect(readings.lastIndexOf(true)).toBe(31);
});
