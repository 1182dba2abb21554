/** The sound at a real Icecast, as a listener's program gets it. */
import { execFile } from 'node:child_process';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IcecastOutputPlan } from '#device/plan/pipeline-plan.ts';
import { timeUntil, until } from '../../until.ts';
import { IcecastServer, icecastPassword } from '../media/icecast-server.ts';
import { footprintOf, reconnect } from '../media/reconnects.ts';
import { startHost } from '../media/supervised-host.ts';
import { captureDescription, testPlan } from '../media/test-plan.ts';

const run = promisify(execFile);
let server: IcecastServer;

beforeAll(async () => {
  server = await IcecastServer.start();
});
afterAll(() => server.stop());

function icecast(location: string): IcecastOutputPlan {
  return { id: 'icecast', kind: 'icecast', target: 'icecast://radio/live.ogg', location };
}

async function listen(mount: string): Promise<unknown> {
  const options = ['-v', 'error', '-rw_timeout', '8000000', '-show_entries', 'stream=codec_name,sample_rate,channels', '-of', 'json'];
  const { stdout } = await run('ffprobe', [...options, server.listenUrl(mount)]);
  return JSON.parse(stdout).streams;
}

/** How loud three seconds of it are, in decibels. */
async function loudness(mount: string): Promise<number> {
  const { stderr } = await run('ffmpeg', [
    ...'-nostdin -rw_timeout 8000000 -i'.split(' '),
    server.listenUrl(mount),
    ...'-t 3 -af volumedetect -f null -'.split(' '),
  ]);
  return Number(/mean_volume: (-?[\d.]+) dB/.exec(stderr)?.[1]);
}

const vorbis = [{ codec_name: 'vorbis', sample_rate: '44100', channels: 2 }];

describe('a listener', () => {
  it('hears the sound, over a new capture with another sampling rate too, and after the server was away', async () => {
    const host = await startHost();
    const outputs = [icecast(server.address('live.ogg'))];
    await host.supervisor.apply(testPlan({ outputs }));
    await until('the sound', 10_000, () => host.outputOf('icecast')?.kind === 'streaming');
    await until('some of it', 10_000, () => (host.supervisor.status()?.outputs[0]?.bytesSent ?? 0) > 5000);
    expect(await listen('live.ogg')).toEqual(vorbis);
    expect(await loudness('live.ogg')).toBeGreaterThan(-30);
    const other = captureDescription({ width: 320, height: 180 }).replace('rate=16000', 'rate=32000');
    await host.supervisor.apply(testPlan({ outputs, description: other }));
    expect(await loudness('live.ogg')).toBeGreaterThan(-30);
    expect(host.status().outputs[0]?.connections).toBe(1);
    await server.kill();
    await until('the loss', 5000, () => host.outputOf('icecast')?.kind === 'waiting');
    await server.run();
    const backMs = await timeUntil('the sound again', 5000, () => host.outputOf('icecast')?.kind === 'streaming');
    // Icecast shows a mount only when the first pages are there.
    expect(await until('a listener to be let in', 10_000, () => listen('live.ogg'))).toEqual(vorbis);
    console.log(`Icecast back: streaming after ${backMs} ms`);
    expect(JSON.stringify([host.lines, host.events, host.supervisor.status()])).not.toContain(icecastPassword);
  }, 60_000);
});

it.each([
  ['the room’s', 'Werkstatt Süd', 'Werkstatt Süd', 'room.ogg'],
  ['no line of its own', 'Room\r\nIce-Name: another', 'Room Ice-Name: another', 'line.ogg'],
  ['the host’s', '', hostname(), 'host.ogg'],
])('a listener is told a name: %s', async (_, name, expected, mount) => {
  const host = await startHost();
  await host.supervisor.apply(testPlan({ outputs: [{ ...icecast(server.address(mount)), name }] }));
  expect(await until('a name', 15_000, () => nameToldOf(mount))).toBe(expected);
});

async function nameToldOf(mount: string): Promise<string | null> {
  const listening = new AbortController();
  const { headers } = await fetch(server.listenUrl(mount), { signal: listening.signal });
  listening.abort();
  const name = headers.get('icy-name');
  return name === null ? null : Buffer.from(name, 'latin1').toString();
}

it('leaves no descriptor, thread or memory behind, connection after connection', async () => {
  const host = await startHost();
  const outputAt = (time: number) => ({ ...icecast(server.address(`n${time % 9}.ogg`)), target: `icecast://radio/${time}` });
  await reconnect(host.supervisor, 10, outputAt);
  const before = footprintOf(host.supervisor.processId() ?? 0);
  await reconnect(host.supervisor, 40, outputAt);
  const after = footprintOf(host.supervisor.processId() ?? 0);
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 2);
  expect(after.threads).toBeLessThanOrEqual(before.threads + 2);
  expect(after.rssBytes - before.rssBytes).toBeLessThan(8e6);
}, 120_000);

describe('an Icecast output says why it waits', () => {
  it.each([
    ['a wrong password', () => server.address('a.ogg', 'wrong'), 'refused by the server: user name or password wrong'],
    ['no such host', () => 'icecast://source:p@no-such-host.invalid:8000/a.ogg', 'no such host'],
    ['nothing listens', () => 'icecast://source:p@127.0.0.1:1/a.ogg', 'connection refused: nothing listens there'],
  ])('%s', async (_, address, words) => {
    const host = await startHost();
    await host.supervisor.apply(testPlan({ outputs: [icecast(address())] }));
    const waiting = await until('an error', 15_000, () => {
      const state = host.outputOf('icecast');
      return state?.kind === 'waiting' ? state : null;
    });
    expect(waiting.lastError).toBe(words);
  });

  it('the mount in use', async () => {
    const [one, two] = [await startHost(), await startHost()];
    await one.supervisor.apply(testPlan({ outputs: [icecast(server.address('twice.ogg'))] }));
    await until('the first', 10_000, () => one.outputOf('icecast')?.kind === 'streaming');
    await two.supervisor.apply(testPlan({ outputs: [icecast(server.address('twice.ogg'))] }));
    const waiting = await until('the refusal', 10_000, () => {
      const state = two.outputOf('icecast');
      return state?.kind === 'waiting' ? state : null;
    });
    expect(waiting.lastError).toBe('refused by the server: the mount is in use');
    await one.supervisor.stop();
    await until('the second', 15_000, () => two.outputOf('icecast')?.kind === 'streaming');
  });

  it('leaves at once even when the server is dead', async () => {
    const host = await startHost();
    await host.supervisor.apply(testPlan({ outputs: [icecast(server.address('dead.ogg'))] }));
    await until('the sound', 10_000, () => host.outputOf('icecast')?.kind === 'streaming');
    server.suspend();
    const begin = performance.now();
    await host.supervisor.apply(testPlan({}));
    expect(performance.now() - begin).toBeLessThan(1000);
    await server.kill();
    await server.run();
  });
});
