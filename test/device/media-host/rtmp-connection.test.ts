/** The sink itself, in this process, against a real nginx. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlacedTag, parseTag, type Tag } from '#device/media-host/flv.ts';
import { RtmpConnectionPool } from '#device/media-host/rtmp-connection.ts';
import { RtmpOutput } from '#device/media-host/rtmp-output.ts';
import { TagBus } from '#device/media-host/tag-bus.ts';
import { until } from '../../until.ts';
import { manualClock } from '../manual-clock.ts';
import { TestRelay } from '../media/test-relay.ts';
import { makeTag } from './tags.ts';

let relay: TestRelay;
beforeAll(async () => {
  relay = await TestRelay.start();
});
afterAll(() => relay.stop());

/** A sequence header as flvmux makes it. */
function header(kind: 8 | 9, body: readonly number[]): PlacedTag {
  const bytes = Buffer.from([kind, 0, 0, body.length, 0, 0, 0, 0, 0, 0, 0, ...body, 0, 0, 0, body.length + 11]);
  const tag = parseTag(bytes);
  if (tag === null) throw new Error('expected a tag');
  return { ...tag, placedAtMs: 0 };
}
const headers = () => [
  header(9, [0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x0d, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0xc0, 0x0d, 1, 0, 4, 0x68, 0xce, 0x3c, 0x80]),
  header(8, [0xaf, 0, 0x15, 0x88]),
];

test('a connection is known as such although the one before it carried the very same bytes: it was ended before any picture', async () => {
  const pool = new RtmpConnectionPool();
  const connection = pool.acquire();
  const failures: string[] = [];
  for (let number = 1; number <= 4; number += 1) {
    connection.open(`${relay.target}/of-one-length`, headers(), (reason) => failures.push(reason));
    await until(`connection ${number}`, 5000, () => connection.isConnected());
    connection.close();
    await until('the relay to let go of it', 5000, async () => (await relay.publisherId()) === null);
  }
  expect(failures).toEqual([]);
  expect(relay.publications).toHaveLength(4);
}, 30_000);

test('what an encoder that was held up gives at once is not late on its way', async () => {
  const clock = manualClock();
  const bus = new TagBus();
  const publish = (tag: Tag) => bus.publish({ ...tag, placedAtMs: clock.monotonicMs() });
  const pool = new RtmpConnectionPool();
  const target = { id: 'rtmp', kind: 'rtmp', target: relay.target, location: `${relay.target}/held-up` } as const;
  const output = new RtmpOutput({ bus, clock, random: () => 0, onState: () => undefined, onEvent: () => undefined, plan: target, pool });
  for (const tag of [...headers(), makeTag('keyframe')]) publish(tag);
  output.start();
  const advance = async () => {
    await clock.advance(50);
    output.advance();
    return output.status();
  };
  await until('the stream, and that its first picture is there', 8000, async () => {
    const { state, queuedBytes } = await advance();
    return state.kind === 'streaming' && queuedBytes === 0;
  });
  await clock.advance(2000);
  for (let timestampMs = 33; timestampMs <= 2000; timestampMs += 33) {
    publish(makeTag('frame', timestampMs));
    output.advance();
  }
  expect(output.status().lagMs).toBe(0);
  await until('all of it at the relay', 8000, async () => (await advance()).queuedBytes === 0);
  expect(output.status()).toMatchObject({ lagMs: 0, droppedGroups: 0 });
  output.stop();
}, 30_000);
