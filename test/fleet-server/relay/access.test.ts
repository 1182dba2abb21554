/** Tickets, addresses, questions of nginx, places and redaction: the pure parts of who may do what. */
import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Audience } from '#fleet-server/relay/audience.ts';
import { parseQuestion } from '#fleet-server/relay/callbacks.ts';
import { findNginx, parseUsers } from '#fleet-server/relay/nginx-installation.ts';
import { restartDelayMs } from '#fleet-server/relay/nginx-supervisor.ts';
import { playbackAddresses } from '#fleet-server/relay/playback.ts';
import { redact } from '#fleet-server/relay/relay.ts';
import { makeRuntimeDirectory, runtimePaths } from '#fleet-server/relay/runtime-directory.ts';
import { isTicketValid, makeTicket } from '#fleet-server/relay/ticket.ts';
import { hmac } from './relay-bench.ts';

describe('tickets', () => {
  const ticket = makeTicket(hmac, 'dev-one', 10_000);

  test('are good for one device until they expire', () => {
    expect(isTicketValid(hmac, 'dev-one', ticket, 9999)).toBe(true);
    expect(isTicketValid(hmac, 'dev-one', ticket, 10_000)).toBe(false);
    expect(isTicketValid(hmac, 'dev-two', ticket, 0)).toBe(false);
  });

  test.each(['', 'session', 'a.b', ticket.replace(/^[^.]+/, 'zzzzzzzz'), ticket.slice(0, -1), `${ticket}a`, `${ticket.slice(0, -1)}=`])(
    'made up or changed are refused: %s',
    (changed) => expect(isTicketValid(hmac, 'dev-one', changed, 0)).toBe(false),
  );

  test('fit into an address as they are', () => expect(encodeURIComponent(ticket)).toBe(ticket));
});

describe('addresses for players', () => {
  const request = {
    deviceId: 'dev-one',
    ticket: 't.s',
    expiresAtMs: 0,
    rtmp: { port: 1935 },
    publicUrl: undefined,
    requestHost: 'localhost:8080',
    protocol: 'http' as const,
  };
  test.each([
    ['the host that was asked', {}, 'rtmp://localhost:1935/live/dev-one?ticket=t.s', 'http://localhost:8080/hls/t.s/dev-one/index.m3u8'],
    ['IPv6', { requestHost: '[::1]:8080' }, 'rtmp://[::1]:1935/live/dev-one?ticket=t.s', 'http://[::1]:8080/hls/t.s/dev-one/index.m3u8'],
    [
      'a public address',
      { publicUrl: 'https://live.example.org/fleet/' },
      'rtmp://live.example.org:1935/live/dev-one?ticket=t.s',
      'https://live.example.org/fleet/hls/t.s/dev-one/index.m3u8',
    ],
    [
      'RTMP at another server',
      { rtmp: { port: 1936, host: 'fleet-2.example.org' } },
      'rtmp://fleet-2.example.org:1936/live/dev-one?ticket=t.s',
      'http://localhost:8080/hls/t.s/dev-one/index.m3u8',
    ],
    [
      'a host header that is no host',
      { requestHost: 'a@evil.example/"><script>' },
      'rtmp://localhost:1935/live/dev-one?ticket=t.s',
      'http://localhost/hls/t.s/dev-one/index.m3u8',
    ],
  ])('%s', (_name, more, rtmp, hls) => {
    expect(playbackAddresses({ ...request, ...more })).toEqual({ rtmp, hls, expiresAt: '1970-01-01T00:00:00.000Z' });
  });
});

describe('questions of nginx', () => {
  // As nginx-rtmp 1.1.4 wrote it.
  const fields =
    'app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:1935/live&pageurl=&addr=192.0.2.7&clientid=1';

  test('who may publish', () => {
    expect(parseQuestion('publish', `${fields}&call=publish&name=dev-one&type=live&key=abc`)).toEqual({
      kind: 'publish',
      deviceId: 'dev-one',
      key: 'abc',
      address: '192.0.2.7',
    });
  });

  test('what the client appends does not replace what nginx says', () => {
    const question = parseQuestion(
      'publish',
      `${fields}&call=publish&name=dev-one&type=live&key=abc&name=dev-two&app=other&addr=127.0.0.1&key=x`,
    );
    expect(question).toEqual({ kind: 'publish', deviceId: 'dev-one', key: 'abc', address: '192.0.2.7' });
  });

  test('who may play', () => {
    const body = `${fields}&call=play&name=dev-one&start=4294965296&duration=0&reset=0&ticket=t.s`;
    expect(parseQuestion('play', body)).toEqual({ kind: 'play', deviceId: 'dev-one', ticket: 't.s' });
  });

  test.each([
    ['another application', 'publish', 'app=other&name=dev-one&key=abc'],
    ['no device id', 'publish', 'app=live&name=..%2F..%2Fetc&key=abc'],
    ['nothing', 'publish', ''],
    ['another question', 'record', 'app=live&name=dev-one'],
  ])('%s is no question', (_name, kind, body) => expect(parseQuestion(kind, body)).toBeUndefined());
});

describe('where the relay keeps its files', () => {
  const dataDirectory = '/srv/fleet';
  const systemTemporaryDirectory = '/tmp';

  test('started as root: where the worker’s user can come, and the same place each time', () => {
    const { base } = runtimePaths({ dataDirectory, isRoot: true, systemTemporaryDirectory });
    expect(base).toMatch(/^\/var\/cache\/makespacelive-relay-[0-9a-f]{16}$/);
    expect(runtimePaths({ dataDirectory, isRoot: true, systemTemporaryDirectory }).base).toBe(base);
    expect(runtimePaths({ dataDirectory: '/srv/other', isRoot: true, systemTemporaryDirectory }).base).not.toBe(base);
  });

  test('otherwise inside the data directory, unless a socket’s path would be too long there', () => {
    expect(runtimePaths({ dataDirectory, isRoot: false, systemTemporaryDirectory }).base).toBe('/srv/fleet/relay');
    const long = runtimePaths({ dataDirectory: `/srv/${'x'.repeat(90)}`, isRoot: false, systemTemporaryDirectory });
    expect(long.base).toMatch(/^\/tmp\/makespacelive-relay-/);
  });

  test('a folder that others can write, or a link, is not trusted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'relay-place-'));
    const paths = runtimePaths({ dataDirectory: folder, isRoot: false, systemTemporaryDirectory });
    await makeRuntimeDirectory(paths, null);
    await chmod(paths.hlsDirectory, 0o777);
    await expect(makeRuntimeDirectory(paths, null)).rejects.toMatchObject({ code: 'relay-directory-unsafe' });
    await rm(paths.hlsDirectory, { recursive: true });
    await mkdir(join(folder, 'elsewhere'));
    await symlink(join(folder, 'elsewhere'), paths.hlsDirectory);
    await expect(makeRuntimeDirectory(paths, null)).rejects.toMatchObject({ code: 'relay-directory-unsafe' });
    await rm(folder, { recursive: true });
  });
});

describe('smaller things', () => {
  test('nginx’s lines are logged without keys and tickets', () => {
    expect(redact('error, client: 192.0.2.7, args=key=abc&x, key=abc&ticket=t.s "name"')).not.toMatch(/abc|t\.s/);
    expect(redact('x'.repeat(2000))).toHaveLength(500);
  });

  test('a restart waits 200 ms at first, twice as long each time, and never more than 10 s', () => {
    expect([0, 1, 2, 10, 100].map((attempt) => restartDelayMs(attempt, 0))).toEqual([200, 400, 800, 10_000, 10_000]);
    expect(restartDelayMs(0, 0.999)).toBeGreaterThan(130);
  });

  test('users are read from passwd', () => {
    expect(parseUsers('root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:34::/var/www:/usr/sbin/nologin\n\nbroken').get('www-data')).toEqual({
      name: 'www-data',
      uid: 33,
      gid: 34,
    });
  });

  test('nginx is found without being on the path', async () => {
    expect(await findNginx('')).toMatchObject({ program: expect.stringMatching(/nginx$/), modulePath: expect.stringMatching(/rtmp/) });
  });

  test('viewers are those who came back within ten seconds', () => {
    const audience = new Audience();
    audience.seen('dev-one', 'a', 0);
    audience.seen('dev-one', 'b', 5000);
    audience.seen('dev-one', 'b', 6000);
    audience.seen('dev-two', 'a', 6000);
    expect(Object.fromEntries(audience.count(9000))).toEqual({ 'dev-one': 2, 'dev-two': 1 });
    expect(Object.fromEntries(audience.count(12_000))).toEqual({ 'dev-one': 1, 'dev-two': 1 });
    expect(audience.count(60_000).size).toBe(0);
  });
});
