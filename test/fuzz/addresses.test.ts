/** Addresses that are no part of the described API: pictures of the relay, the dashboard's pages and files. Nothing of the disk beside them gets out. */

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dashboardPlugin } from '#fleet-server/http/dashboard.ts';
import { errorHandlerPlugin } from '#fleet-server/http/error-handler.ts';
import { securityHeadersPlugin } from '#fleet-server/http/security-headers.ts';
import { createServer } from '#fleet-server/http/server.ts';
import { registerHls } from '#fleet-server/relay/hls.ts';
import { longTimeoutMs, parameters, runs } from './inputs.ts';

const beside = 'what stands beside them';
const shown = { page: '<title>MakeSpaceLive</title>', file: 'of the dashboard', playlist: '#EXTM3U', fragment: 'a fragment' } as const;
const deviceId = 'd-0123456789';

let directory: string;
let app: FastifyInstance;
const log: string[] = [];
const agent = new Agent({ keepAlive: true });
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'msl-addresses-'));
  const [pages, pictures] = [join(directory, 'pages'), join(directory, 'hls')];
  await mkdir(join(pages, 'assets'), { recursive: true });
  await mkdir(join(pictures, deviceId), { recursive: true });
  await writeFile(join(directory, 'secret.key'), beside);
  await writeFile(join(pages, 'index.html'), shown.page);
  await writeFile(join(pages, 'assets', 'index.js'), shown.file);
  await writeFile(join(pictures, deviceId, 'index.m3u8'), shown.playlist);
  await writeFile(join(pictures, deviceId, '1.ts'), shown.fragment);
  await symlink(join(directory, 'secret.key'), join(pictures, deviceId, '2.ts'));
  app = createServer({ logger: { level: 'error', stream: { write: (line: string) => void log.push(line) } }, checkAnswers: true });
  await app.register(errorHandlerPlugin);
  registerHls(app, {
    directory: pictures,
    isTicketValid: (_device, ticket) => ticket === 'ticket',
    isViewer: () => false,
    isReceived: (device) => device === deviceId,
    onWatched: () => undefined,
    placeOf: () => null,
    makeTicket: () => 'ticket',
  });
  await app.register(securityHeadersPlugin, { isHttps: false });
  await app.register(dashboardPlugin, { directory: pages });
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  agent.destroy();
  await app.close();
  await rm(directory, { recursive: true, force: true });
});

const segment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('hls', 'ticket', deviceId, 'index.m3u8', '1.ts', '2.ts', '3.ts', 'assets', 'index.js', 'index.html'),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom('..', '.', '', '%2e%2e', '..%2f..', '%2fetc%2fpasswd', 'secret.key', '..%5c', '%00', '%', '%c0%af', '~'),
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 250 }),
  },
);
const picture = fc.tuple(fc.constantFrom('ticket', 'ticket', 'another'), fc.oneof(fc.constant(deviceId), segment), segment);
const right = [['hls', 'ticket', deviceId, 'index.m3u8'], ['hls', 'ticket', deviceId, '1.ts'], ['devices']];
const address = fc
  .oneof(
    fc.constantFrom(...right),
    fc.array(segment, { maxLength: 7 }),
    picture.map((parts) => ['hls', ...parts]),
  )
  .map((parts) => `/${parts.join('/')}`);
const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'OPTIONS');

/** As it is written: a client that tidies addresses up would never ask for `..`. */
function ask(path: string, how: string): Promise<{ readonly statusCode: number; readonly body: string }> {
  const { port } = app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method: how, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ statusCode: response.statusCode ?? 0, body }));
    });
    asking.on('error', reject);
    asking.end();
  });
}

test(
  'whatever address is asked for, an answer, and only what is meant to be seen',
  async () => {
    const seen = new Set<string>();
    const property = fc.asyncProperty(address, method, async (url, how) => {
      const { statusCode, body } = await ask(url, how);
      expect(statusCode, url).toBeLessThan(500);
      expect(body, url).not.toContain(beside);
      if (statusCode === 200 && body !== '') expect(Object.values(shown), url).toContain(body);
      seen.add(statusCode === 200 ? body : String(statusCode));
    });
    await fc.assert(property, parameters(runs(5)));
    expect([...seen]).toEqual(expect.arrayContaining([shown.page, shown.playlist, shown.fragment, '403', '404']));
    expect(log).toEqual([]);
  },
  longTimeoutMs,
);
