import { expect, test } from 'vitest';
import { LogLease } from '#device/commands/log-lease.ts';
import { LogTail } from '#device/commands/log-tail.ts';
import { manualClock } from '../manual-clock.ts';

function leased(secrets: readonly string[] = []) {
  const clock = manualClock();
  const tail = new LogTail();
  const sent: (readonly string[])[] = [];
  const lease = new LogLease({ clock, tail, send: (lines) => sent.push(lines), secrets: () => secrets });
  return { clock, tail, sent, lease };
}

test('the newest at once, the new ones in bunches, and no more after five minutes', async () => {
  const { clock, tail, sent, lease } = leased();
  for (let index = 0; index < 700; index += 1) tail.add(`old ${index}\n`);
  lease.open(3);
  expect(sent).toEqual([['old 697', 'old 698', 'old 699']]);
  tail.add('new 1\n');
  tail.add('new 2\n');
  await clock.advance(500);
  expect(sent.at(-1)).toEqual(['new 1', 'new 2']);
  await clock.advance(300_000);
  const before = sent.length;
  tail.add('too late');
  await clock.advance(10_000);
  expect(sent).toHaveLength(before);
  expect(tail.newest(1000)).toHaveLength(500);
});

test('no secret leaves, whatever was logged', async () => {
  const { clock, tail, sent, lease } = leased(['hunter2', '']);
  tail.add('connecting to rtmp://relay/live/hunter2');
  lease.open();
  tail.add('hunter2 again, hunter2');
  await clock.advance(500);
  expect(sent.flat()).toEqual(['connecting to rtmp://relay/live/[secret]', '[secret] again, [secret]']);
});

test('no message is larger than its topic takes, and a flood is cut', async () => {
  const { clock, tail, sent, lease } = leased();
  lease.open();
  for (let index = 0; index < 3000; index += 1) tail.add('x'.repeat(3000));
  await clock.advance(500);
  expect(sent.flat()[0]).toBe('(2000 lines left out: they came faster than they are sent)');
  expect(sent.flat()).toHaveLength(1001);
  for (const lines of sent) expect(Buffer.byteLength(JSON.stringify(lines))).toBeLessThan(60_000);
});
