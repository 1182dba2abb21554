/** The relay with real nginx, ffmpeg as device and ffprobe as viewer. */
import { once } from 'node:events';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupMembers } from '#fleet-server/relay/process-group.ts';
import { freePort } from '../../free-ports.ts';
import { recordChangingSize } from './changing-size.ts';
import { ended, probe, RelayBench } from './relay-bench.ts';

let bench: RelayBench;
beforeEach(async () => {
  bench = await (await RelayBench.make()).start();
});
afterEach(() => bench.stop());

const masterId = () => bench.app.relay.state().processId ?? 0;
const isReceived = (deviceId: string) => bench.receptions.has(deviceId);
const get = (url: string, cookie?: string) => bench.app.inject({ url, headers: cookie === undefined ? {} : { cookie } });

async function kill(processId: number): Promise<void> {
  process.kill(processId, 'SIGKILL');
}

describe('publishing', () => {
  test('with the right key is received, with figures that follow a new size; when it ends nothing is claimed', async () => {
    const publisher = bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one') && bench.receptions.get('dev-one')?.width !== null);
    expect(bench.receptions.get('dev-one')).toMatchObject({
      width: 320,
      height: 180,
      framesPerSecond: 30,
      videoCodec: 'H264',
      audioCodec: 'AAC',
    });
    await bench.until(() => (bench.receptions.get('dev-one')?.bitrateKbps ?? 0) > 0);
    publisher.kill('SIGTERM');
    await bench.until(() => !isReceived('dev-one'));
    bench.publish('dev-one', { size: '640x360' });
    await bench.until(() => bench.receptions.get('dev-one')?.width === 640);
    expect(bench.receptions.get('dev-one')).toMatchObject({ height: 360 });
  });

  test('a size that changes within one connection is seen at once, and by a player that comes later', async () => {
    const recording = await recordChangingSize(bench.dataDirectory, ['320x180', '640x360'], 8);
    const target = bench.address('dev-one', 'key=right-key-of-dev-one');
    bench.spawn('ffmpeg', ['-loglevel', 'error', '-re', '-i', recording, '-c', 'copy', '-f', 'flv', target]);
    await bench.until(() => bench.receptions.get('dev-one')?.width === 320);
    const since = bench.receptions.get('dev-one')?.receivingSince;
    await bench.until(() => bench.receptions.get('dev-one')?.width === 640);
    expect(bench.receptions.get('dev-one')).toMatchObject({ height: 360, receivingSince: since });
    expect(await probe(bench.rtmpAddress('dev-one'))).toMatchObject([{ width: 640, height: 360 }]);
  });

  test.each([
    ['a wrong key', 'dev-one', 'wrong'],
    ['another device’s key', 'dev-one', 'right-key-of-dev-two'],
    ['no key', 'dev-one', ''],
    ['the right key of an unknown device', 'dev-nine', 'right-key-of-dev-nine'],
    ['a second name smuggled in behind the key', 'dev-one', 'right-key-of-dev-two&name=dev-two'],
    ['a name that would leave the folder', '../../dev-one', 'right-key-of-dev-one'],
  ])('with %s is refused', async (_name, deviceId, key) => {
    const publisher = bench.publish(deviceId, { key });
    await ended(publisher);
    expect(publisher.exitCode).not.toBe(0);
    expect(bench.receptions.size).toBe(0);
    expect(bench.lines.join('\n')).not.toContain('right-key');
  });

  test('a publisher that vanished without a goodbye is replaced at once by the device’s own next connection', async () => {
    const ghost = bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one'));
    // Stopped, not ended: its connection stays open, as that of a device whose network is gone.
    ghost.kill('SIGSTOP');
    bench.publish('dev-one', { size: '640x360' });
    const started = performance.now();
    await bench.until(() => bench.receptions.get('dev-one')?.width === 640);
    expect(performance.now() - started).toBeLessThan(5000);
    ghost.kill('SIGKILL');
    await ended(ghost);
  });

  test('a publisher that sends nothing any more is not received', async () => {
    const silent = bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one'));
    silent.kill('SIGSTOP');
    await bench.until(() => !isReceived('dev-one'));
    silent.kill('SIGKILL');
    await ended(silent);
  });

  test('can be ended for a device that was revoked', async () => {
    const publisher = bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one'));
    await bench.app.relay.dropPublisher('dev-one');
    await ended(publisher);
    await bench.until(() => !isReceived('dev-one'));
  });

  test('GStreamer as device', async () => {
    const target = bench.address('dev-one', 'key=right-key-of-dev-one');
    const picture = 'videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=30/1 ! x264enc tune=zerolatency key-int-max=30';
    const pipeline = `${picture} ! flvmux streamable=true ! rtmp2sink location=${target}`;
    bench.spawn('gst-launch-1.0', ['-q', ...pipeline.split(' ')]);
    await bench.until(() => bench.receptions.get('dev-one')?.width === 320);
  });
});

describe('playing', () => {
  test('by RTMP with a ticket, and not without, nor with that of another device', async () => {
    bench.publish('dev-one');
    bench.publish('dev-two');
    await bench.until(() => isReceived('dev-one') && isReceived('dev-two'));
    const streams = await probe(bench.rtmpAddress('dev-one'));
    expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
    const ticketOfOne = new URL(bench.rtmpAddress('dev-one')).search.slice(1);
    await expect(probe(bench.address('dev-two', ticketOfOne))).rejects.toThrow();
    await expect(probe(bench.address('dev-two', ''))).rejects.toThrow();
    await expect(probe(bench.address('dev-two', 'ticket=session'))).rejects.toThrow();
  });

  test('waiting for a device that does not publish is no reception', async () => {
    const player = bench.spawn('ffprobe', ['-loglevel', 'error', '-rw_timeout', '30000000', bench.rtmpAddress('dev-three')]);
    bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one'));
    expect(isReceived('dev-three')).toBe(false);
    player.kill('SIGKILL');
    await ended(player);
  });

  test('by HLS: playlist and fragments, for a ticket or for somebody who is signed in', async () => {
    const path = bench.hlsPath('dev-one');
    expect((await get(path)).statusCode).toBe(404);
    bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one'));
    const playlist = await waitForPlaylist(path);
    expect(playlist.headers).toMatchObject({ 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'no-store' });
    const [fragment = ''] = /^\d+\.ts$/m.exec(playlist.body) ?? [];
    const answer = await get(path.replace('index.m3u8', fragment));
    expect(answer.headers['content-type']).toBe('video/mp2t');
    expect(answer.rawPayload[0]).toBe(0x47);
    const streams = await probe(`http://127.0.0.1:${bench.httpPort}${path}`);
    expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
    expect((await get('/hls/session/dev-one/index.m3u8', 'signed-in')).statusCode).toBe(200);
    expect((await get('/hls/session/dev-one/index.m3u8')).statusCode).toBe(403);
    expect((await get(path.replace('dev-one', 'dev-two'))).statusCode).toBe(403);
    for (const file of [
      '../../private/nginx.conf',
      '..%2F..%2Fprivate%2Fnginx.conf',
      'index.m3u8.bak',
      '1.ts%00',
      '.',
      '..%2fdev-two%2findex.m3u8',
    ]) {
      expect((await get(path.replace('index.m3u8', file))).statusCode).toBe(404);
    }
    await bench.until(() => (bench.receptions.get('dev-one')?.viewers ?? 0) > 0);
  });

  async function waitForPlaylist(path: string) {
    for (;;) {
      const answer = await get(path);
      if (answer.statusCode === 200) return answer;
      expect(answer.json()).toMatchObject({ code: 'not-found' });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
});

describe('nginx is killed', () => {
  test('its master: another is there at once, and takes streams again', async () => {
    const old = masterId();
    const started = performance.now();
    await kill(old);
    await bench.until(() => bench.app.relay.state().restarts === 1);
    const backMs = Math.round(performance.now() - started);
    expect(backMs).toBeLessThan(3000);
    expect(masterId()).not.toBe(old);
    expect(await groupMembers(old)).toEqual([]);
    bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one'));
    console.info(`relay back after kill -9 of the master: ${backMs} ms`);
  });

  test('its worker: the master starts another, and no new master is needed', async () => {
    const master = masterId();
    const [worker = 0] = (await groupMembers(master)).filter((processId) => processId !== master);
    const started = performance.now();
    await kill(worker);
    bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one'));
    console.info(`stream at the relay after kill -9 of the worker: ${Math.round(performance.now() - started)} ms`);
    expect(masterId()).toBe(master);
  });

  test('again and again: each time it comes back', async () => {
    for (let restarts = 1; restarts <= 3; restarts += 1) {
      await kill(masterId());
      await bench.until(() => bench.app.relay.state().restarts === restarts);
    }
    expect(bench.states.filter((state) => state === 'running')).toHaveLength(4);
  });

  test('or hangs: nothing counts as received while it gives no answer, and what gives none for seconds is replaced', async () => {
    bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one'));
    const old = masterId();
    for (const processId of await groupMembers(old)) if (processId !== old) process.kill(processId, 'SIGSTOP');
    const started = performance.now();
    await bench.until(() => !isReceived('dev-one'));
    console.info(`a stream through an nginx that hangs is shown as received for: ${Math.round(performance.now() - started)} ms`);
    expect(bench.app.relay.state().restarts).toBe(0);
    await bench.until(() => bench.app.relay.state().restarts === 1);
    console.info(`relay back after nginx hung: ${Math.round(performance.now() - started)} ms`);
    expect(await groupMembers(old)).toEqual([]);
  });

  test('all of it, and nothing is left when the relay is stopped meanwhile', async () => {
    const old = masterId();
    await kill(old);
    await bench.until(() => bench.app.relay.state().kind === 'restarting');
    await bench.app.close();
    expect(bench.app.relay.state().kind).toBe('stopped');
    expect(await groupMembers(old)).toEqual([]);
  });
});

describe('secrets', () => {
  test('no key and no ticket is in the log, in an argument list or in a file that others can read', async () => {
    const publisher = bench.publish('dev-one');
    await bench.until(() => isReceived('dev-one'));
    await probe(bench.rtmpAddress('dev-one'));
    publisher.kill('SIGKILL');
    await bench.until(() => !isReceived('dev-one'));
    await ended(bench.publish('dev-one', { key: 'wrong-key' }));
    expect(bench.lines.join('\n')).not.toMatch(/right-key|wrong-key|ticket=[^…]/);
    for (const processId of await groupMembers(masterId())) {
      expect(await readFile(`/proc/${processId}/cmdline`, 'utf8')).not.toMatch(/right-key|ticket/);
    }
    const commandLine = await readFile(`/proc/${masterId()}/cmdline`, 'utf8');
    const [, prefix = ''] = / -p (\S+)/.exec(commandLine) ?? [];
    const { mode } = await stat(`${prefix}private/nginx.conf`);
    expect(mode & 0o077).toBe(0);
  });

  test('nginx writes no log of its own: the RTMP module’s would hold every key, and only root could open it', async () => {
    const logs: string[] = [];
    for (const processId of await groupMembers(masterId())) {
      const open = await readdir(`/proc/${processId}/fd`);
      const targets = await Promise.all(open.map((descriptor) => readlink(`/proc/${processId}/fd/${descriptor}`)));
      logs.push(...targets.filter((target) => target.endsWith('.log')));
    }
    expect(logs).toEqual([]);
  });
});

describe('what stands in the way of a start', () => {
  test('a port in use is named, with the variable that changes it', async () => {
    const stranger = createServer().listen(0, '0.0.0.0');
    await once(stranger, 'listening');
    const { port } = stranger.address() as { port: number };
    const other = new RelayBench(port, `${bench.dataDirectory}-other`);
    await expect(other.start()).rejects.toMatchObject({
      code: 'relay-port-in-use',
      message: expect.stringMatching(new RegExp(`port ${port} .*FLEET_RTMP_PORT`)),
    });
    await other.stop();
    await new Promise((resolve) => stranger.close(resolve));
  });

  test('stopping twice is stopping once, and the port is free afterwards', async () => {
    const { relay } = bench.app;
    await Promise.all([bench.app.close(), bench.app.close()]);
    expect(relay.state().kind).toBe('stopped');
    const probe = createServer().listen(bench.rtmpPort, '0.0.0.0');
    await once(probe, 'listening');
    await new Promise((resolve) => probe.close(resolve));
    expect(await freePort()).toBeGreaterThan(0);
  });
});
