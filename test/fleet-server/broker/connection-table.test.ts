/** Many connections that say nothing, of the address at which the devices are as well: a load balancer's, or a venue's. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, ConnectionTable, connectionLimits } from '#fleet-server/broker/connection-table.ts';
import { BrokerBench, presence } from './broker-bench.ts';
import { closed, publish } from './packets.ts';

const most = connectionLimits.waitingByAddress;

describe('at the real port', () => {
  let bench: BrokerBench;
  beforeEach(async () => {
    bench = await new BrokerBench().start();
  });
  afterEach(() => bench.stop());

  const silent = async () => (await bench.socket()).resume();

  test('a device is let in beside as many as may be silent: the one that was silent longest makes room', async () => {
    const first = await silent();
    const gone = closed(first);
    await Promise.all(Array.from({ length: most - 1 }, silent));
    await bench.client('dev-one');
    await gone;
    expect(bench.seen.connections).toEqual(['dev-one connected accepted']);
  });

  test('a flood of them disturbs no device that is connected, and keeps none out', async () => {
    const device = await bench.client('dev-one');
    const flood = (async () => {
      const sockets: Socket[] = [];
      while (sockets.length < 3 * most) sockets.push(await silent());
      return sockets;
    })();
    for (let count = 0; count < 20; count += 1) {
      await publish(device, presence('dev-one'), 1);
      await (await bench.client('dev-two')).endAsync();
    }
    const sockets = await flood;
    const later = await bench.client('dev-three');
    await publish(later, presence('dev-three'), 1);
    await publish(device, presence('dev-one'), 1);
    expect(bench.seen.connections.filter((line) => !line.startsWith('dev-two'))).toEqual([
      'dev-one connected accepted',
      'dev-three connected accepted',
    ]);
    const ended = sockets.slice(0, -most);
    await Promise.all(ended.map((socket) => (socket.destroyed ? undefined : closed(socket))));
    expect(sockets.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(most);
  });
});

describe('of all addresses together', () => {
  class Silent extends Duplex {
    override _read(): void {}
    override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
      done();
    }
  }

  function open(total: number) {
    const tooMany: string[] = [];
    const table = new ConnectionTable(
      { onGone: () => undefined, onTooMany: (address) => tooMany.push(address) },
      { total, waitingByAddress: 2 },
    );
    const admit = (address: string): Connection | undefined => {
      const guarded = table.admit(new Silent(), address);
      return guarded && table.of({ conn: guarded } as never);
    };
    return { table, tooMany, admit };
  }

  test('the one that was silent longest makes room, whatever its address', () => {
    const { tooMany, admit } = open(3);
    const all = ['a', 'b', 'c', 'd'].map((address) => admit(address));
    expect(all.map((connection) => connection?.guarded.destroyed)).toEqual([true, false, false, false]);
    expect(tooMany).toEqual(['a']);
  });

  test('one that has authenticated never does: a new one is refused where all have', () => {
    const { table, tooMany, admit } = open(3);
    const known = ['a', 'a', 'b'].map((address) => admit(address) as Connection);
    for (const connection of known) table.know(connection);
    expect(admit('c')).toBeUndefined();
    expect(known.map(({ guarded }) => guarded.destroyed)).toEqual([false, false, false]);
    expect(tooMany).toEqual(['c']);
  });

  test('who has authenticated does not count among the silent ones of its address', () => {
    const { table, tooMany, admit } = open(9);
    for (let count = 0; count < 4; count += 1) table.know(admit('a') as Connection);
    const waiting = [admit('a'), admit('a'), admit('a')];
    expect(waiting.map((connection) => connection?.guarded.destroyed)).toEqual([true, false, false]);
    expect(tooMany).toEqual(['a']);
  });
});
