import { describe, expect, test } from 'vitest';
import { PublishQueue, queuePolicy } from '#fleet-server/broker/publish-queue.ts';

function bench() {
  const sent: string[] = [];
  const pending: { resolve(): void; reject(cause: Error): void }[] = [];
  let overflows = 0;
  const queue = new PublishQueue(
    (_name, payload) => {
      sent.push(payload);
      return new Promise((resolve, reject) => pending.push({ resolve, reject }));
    },
    () => {
      overflows += 1;
    },
  );
  return { queue, sent, pending, overflows: () => overflows };
}

describe('one message at a time', () => {
  test('the next is handed over only when the one before is out', async () => {
    const { queue, sent, pending } = bench();
    const first = queue.publish('command', 'a');
    const second = queue.publish('event-ack', 'b');
    expect(sent).toEqual(['a']);
    pending[0]?.resolve();
    expect(await first).toBe('sent');
    expect(sent).toEqual(['a', 'b']);
    pending[1]?.resolve();
    expect(await second).toBe('sent');
  });

  test('of several desired only the newest waits, and all who asked hear of it', async () => {
    const { queue, sent, pending } = bench();
    const command = queue.publish('command', 'c');
    const outcomes = [queue.publish('desired', 'd1'), queue.publish('desired', 'd2'), queue.publish('desired', 'd3')];
    pending[0]?.resolve();
    await command;
    expect(sent).toEqual(['c', 'd3']);
    pending[1]?.resolve();
    expect(await Promise.all(outcomes)).toEqual(['sent', 'sent', 'sent']);
  });

  test('a connection that breaks answers offline to all, and takes nothing more', async () => {
    const { queue, pending } = bench();
    const outcomes = [queue.publish('command', 'a'), queue.publish('command', 'b')];
    queue.close();
    pending[0]?.reject(new Error('gone'));
    expect(await Promise.all([...outcomes, queue.publish('command', 'c')])).toEqual(['offline', 'offline', 'offline']);
  });

  test('is bounded: too many waiting messages end the connection', async () => {
    const { queue, overflows, sent } = bench();
    const outcomes = Array.from({ length: queuePolicy.maxMessages + 2 }, () => queue.publish('command', 'x'));
    expect(overflows()).toBe(1);
    expect(sent).toHaveLength(1);
    expect((await Promise.all(outcomes.slice(1))).every((outcome) => outcome === 'offline')).toBe(true);
  });

  test('is bounded in bytes too', () => {
    const { queue, overflows } = bench();
    for (let index = 0; index < 20; index += 1) void queue.publish('command', 'x'.repeat(65_536));
    expect(overflows()).toBe(1);
  });
});
