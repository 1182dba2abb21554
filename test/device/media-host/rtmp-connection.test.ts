/** The sink itself, in this process, against a real nginx. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type PlacedTag, parseTag, type Tag } from '#device/media-host/flv.ts';
import { KernelSockets } from '#device/media-host/kernel-sockets.ts';
import { RtmpConnection, RtmpConnectionPool } from '#device/media-host/rtmp-connection.ts';
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
    connection.open(`${relay.target}/of-one-length`, 0, headers(), (reason) => failures.push(reason));
    await until(`connection ${number}`, 5000, () => connection.isConnected());
    connection.close();
    await until('the relay to let go of it', 5000, async () => (await relay.publisherId()) === null);
  }
  expect(failures).toEqual([]);
  expect(relay.publications).toHaveLength(4);
}, 30_000);

const answerMs = 200;

/** A way on which what the relay says is late. */
async function lateAnswers(): Promise<{ readonly target: string; readonly connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const onward = connect(relay.rtmpPort, '127.0.0.1');
    socket.pipe(onward);
    onward.on('data', (chunk) => setTimeout(() => socket.write(chunk), answerMs));
    onward.on('close', () => setTimeout(() => socket.destroy(), answerMs));
    for (const end of [socket, onward]) end.on('error', () => undefined);
    socket.on('close', () => {
      connections -= 1;
      onward.destroy();
    });
  });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { target: `rtmp://127.0.0.1:${(server.address() as AddressInfo).port}/live`, connections: () => connections };
}

test('one that is ended while the server’s word to its stream is under way leaves nobody there who publishes nothing', async () => {
  const { target, connections } = await lateAnswers();
  const pool = new RtmpConnectionPool();
  const connection = pool.acquire();
  const { host, port } = { host: '127.0.0.1', port: Number(new URL(target).port) };
  for (let number = 1; number <= 3; number += 1) {
    const before = relay.publications.length;
    connection.open(`${target}/ended-early`, performance.now(), headers(), () => undefined);
    await until('the relay asked', 5000, () => relay.publications.length > before, 5);
    expect(connection.isConnected()).toBe(false);
    connection.close();
    await until('another one may begin', 5000, () => connection.mayOpen({ host, port }, performance.now()));
    await until('the relay to let go of it', 5000, async () => connections() === 0 && (await relay.publisherId()) === null);
  }
  connection.open(`${target}/ended-early`, performance.now(), headers(), () => undefined);
  await until('a connection', 5000, () => connection.isConnected());
  connection.close();
}, 60_000);

test('one that is refused because its name is taken leaves no socket behind', async () => {
  const { target, connections } = await lateAnswers();
  const pool = new RtmpConnectionPool();
  const [first, second] = [pool.acquire(), pool.acquire()];
  first.open(`${relay.target}/taken`, performance.now(), headers(), () => undefined);
  await until('a connection', 5000, () => first.isConnected());
  const reasons: string[] = [];
  for (let number = 1; number <= 3; number += 1) {
    second.open(`${target}/taken`, performance.now(), headers(), (reason) => reasons.push(reason));
    await until('a refusal', 5000, () => reasons.length === number);
    await until('no socket', 5000, () => connections() === 0);
  }
  expect(reasons.at(-1)).toBe('refused by the server: a stream of this name is already there');
  first.close();
}, 60_000);

/** An output to the relay that streams, with all there that it was given; each step of its clock is a turn of its. */
async function streamingOutput(name: string) {
  const clock = manualClock();
  const bus = new TagBus();
  const publish = (tag: Tag) => bus.publish({ ...tag, placedAtMs: clock.monotonicMs() });
  const pool = new RtmpConnectionPool();
  const plan = { id: 'rtmp', kind: 'rtmp', target: relay.target, location: `${relay.target}/${name}` } as const;
  const output = new RtmpOutput({ bus, clock, random: () => 0, onState: () => undefined, onEvent: () => undefined, plan, pool });
  onTestFinished(() => output.stop());
  for (const tag of [...headers(), makeTag('keyframe')]) publish(tag);
  output.start();
  const untilThere = (bytes: number) =>
    until('all of it at the relay', 8000, async () => {
      await clock.advance(50);
      output.advance();
      const { state, bytesSent } = output.status();
      return state.kind === 'streaming' && bytesSent === bytes;
    });
  // A connection is opened with the headers, and what is sent over it begins with them again.
  const first = [...headers(), ...headers(), makeTag('keyframe')].reduce((sum, { bytes }) => sum + bytes.length, 0);
  await untilThere(first);
  return { clock, publish, output, untilThere, first };
}

test('what an encoder that was held up gives at once is not late on its way', async () => {
  const { clock, publish, output, untilThere, first } = await streamingOutput('held-up');
  await clock.advance(2000);
  let bytes = first;
  for (let timestampMs = 33; timestampMs <= 2000; timestampMs += 33) {
    const frame = makeTag('frame', timestampMs);
    bytes += frame.bytes.length;
    publish(frame);
    output.advance();
  }
  expect(output.status().lagMs).toBe(0);
  await untilThere(bytes);
  expect(output.status()).toMatchObject({ lagMs: 0, queuedBytes: 0, droppedGroups: 0 });
}, 30_000);

test('what was handed over since the last look is not told as behind: it is mostly there', async () => {
  const { clock, publish, output, untilThere, first } = await streamingOutput('between-looks');
  const frame = makeTag('frame', 33);
  publish(frame);
  // Too soon for the next look.
  await clock.advance(20);
  output.advance();
  expect(output.status()).toMatchObject({ lagMs: 0, queuedBytes: 0, bytesSent: first });
  await untilThere(first + frame.bytes.length);
}, 30_000);

const frameBytes = 40;
const frameMs = 10;

test.each([
  ['short', 24, true],
  ['long', 25, false],
  ['of a length that is not known', 0, false],
])(
  'a way that is %s has bounds of its own',
  async (_, timeoutTicks, isShort) => {
    const kernel = { looks: 0, waitingBytes: 0 };
    const port = Number(new URL(relay.target).port).toString(16).padStart(4, '0');
    const sockets = new KernelSockets({
      readTable: (table) => {
        kernel.looks += 1;
        const waiting = kernel.waitingBytes.toString(16).padStart(8, '0');
        const row = `0: 0100007F:D431 0100007F:${port} 01 ${waiting}:00000000 00:00000000 00000000 0 0 7 1 0 ${timeoutTicks} 4 30 10 -1\n`;
        return table === 'tcp' ? [row] : [];
      },
      ownInodes: () => new Set(['7']),
      otherPorts: () => new Set(),
      packetCounts: () => null,
      close: () => undefined,
    });
    const connection = new RtmpConnection(sockets);
    onTestFinished(() => connection.close());
    connection.open(`${relay.target}/way-length`, 0, headers(), () => undefined);
    expect(connection.lookIntervalMs(false, 0)).toBe(200);
    await until('a connection', 5000, () => connection.isConnected());
    let nowMs = 0;
    const look = () => {
      nowMs += 1000;
      connection.look(nowMs);
      return connection.waitingBytes() === 0;
    };
    const looksToFindIt = 2;
    await until('a look at its socket', 5000, () => look() && kernel.looks > looksToFindIt);
    const intervalMs = connection.lookIntervalMs(false, nowMs);

    let pushedMs = 0;
    const push = () => {
      connection.push({ ...makeTag('frame', pushedMs, frameBytes), placedAtMs: pushedMs });
      pushedMs += frameMs;
    };
    while (connection.hasRoom()) push();
    const roomMs = pushedMs - frameMs;
    await until('all of it to be there', 5000, look);

    for (let frames = 0; frames <= 100 / frameMs; frames += 1) push();
    kernel.waitingBytes = connection.waitingBytes();
    look();
    let overMs = 0;
    connection.learn({
      deliveredKbps: (askedMs) => {
        overMs = askedMs;
        return null;
      },
    });
    if (isShort) {
      expect(intervalMs).toBeLessThanOrEqual(300);
      expect(roomMs).toBeLessThanOrEqual(400);
      expect(overMs).toBe(152);
    } else {
      expect([intervalMs, connection.lookIntervalMs(false, nowMs), connection.lookIntervalMs(true, nowMs)]).toEqual([450, 450, 200]);
      expect(roomMs).toBe(500);
      expect(overMs).toBe(1000);
    }
  },
  30_000,
);
