import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dashboardPlugin } from '#fleet-server/http/dashboard.ts';
import { errorHandlerPlugin } from '#fleet-server/http/error-handler.ts';
import { securityHeadersPlugin } from '#fleet-server/http/security-headers.ts';
import { createServer } from '#fleet-server/http/server.ts';

let directory: string;
let app: FastifyInstance;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'msl-dashboard-'));
  app = createServer({ logger: { level: 'silent' }, checkAnswers: true });
  await app.register(errorHandlerPlugin);
  await app.register(securityHeadersPlugin, { isHttps: false });
});
afterEach(async () => {
  await app.close();
  await rm(directory, { recursive: true, force: true });
});

async function build(page = '<p>the dashboard</p>'): Promise<void> {
  await mkdir(join(directory, 'assets'));
  await writeFile(join(directory, 'index.html'), page);
  await writeFile(join(directory, 'assets', 'index-abc.js'), 'run()');
  await app.register(dashboardPlugin, { directory });
}

test.each(['/', '/index.html', '/devices/d-0123456789', '/devices/d-0123456789?tab=settings', '/hlsx'])(
  'the address %s is a page of the dashboard, which is asked for again each time',
  async (url) => {
    await build();
    const response = await app.inject(url);
    expect(response.statusCode).toBe(200);
    expect(response.body).toBe('<p>the dashboard</p>');
    expect(response.headers['cache-control']).toBe('no-cache');
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
  },
);

test.each(['/', '/index.html'])('style elements have effect in the page at %s with its own nonce alone', async (url) => {
  await build('<meta property="csp-nonce" nonce="{{style-nonce}}">');
  const nonces = [await app.inject(url), await app.inject(url)].map(({ headers, body }) => {
    const nonce = /nonce="([\w+/=]{24})"/.exec(body)?.[1] ?? 'none';
    expect(headers['content-security-policy']).toContain(`style-src 'self' 'nonce-${nonce}';`);
    return nonce;
  });
  expect(new Set(nonces).size).toBe(2);
});

test('a file with a hash in its name is kept for good', async () => {
  await build();
  const response = await app.inject('/assets/index-abc.js');
  expect(response.body).toBe('run()');
  expect(response.headers['cache-control']).toBe('public, max-age=31536000, immutable');
});

test.each(['/api/v1/nothing', '/api', '/internal/relay', '/hls/x/y', '/assets/index-old.js', '/mqtt'])(
  'the address %s is no page: what is not there is a problem',
  async (url) => {
    await build();
    const response = await app.inject(url);
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: 'not-found' });
  },
);

test.each(['/../secret.key', '/%2e%2e/secret.key', '/assets/..%2f..%2fsecret.key', '//etc/passwd'])('%s leads nowhere', async (url) => {
  await build();
  const response = await app.inject(url);
  expect([200, 400, 404]).toContain(response.statusCode);
  if (response.statusCode === 200) expect(response.body).toBe('<p>the dashboard</p>');
});

test('without a build a plain page says how to build it', async () => {
  await app.register(dashboardPlugin, { directory });
  const response = await app.inject('/');
  expect(response.statusCode).toBe(503);
  expect(response.body).toContain('npm start');
});
