import { createServer, type RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { checkFleet } from '#device/doctor/fleet-checks.ts';
import { environmentFor, startServer } from '../../fleet-server/running-server.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const joined = { hasJoined: true, hasToken: false };

async function serverThat(answers: RequestListener): Promise<string> {
  const server = createServer(answers);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

test('a real fleet server: HTTP, version, MQTT', async () => {
  const server = startServer(await environmentFor(await temporaryDirectory()));
  onTestFinished(async () => {
    server.child.kill('SIGTERM');
    await server.exit;
  });
  const { url } = await server.ready;
  const checks = await checkFleet({ url, ...joined });
  expect(checks.map(({ subject, state }) => [subject, state])).toEqual([
    ['fleet server', 'pass'],
    ['membership', 'pass'],
    ['mqtt', 'pass'],
  ]);
  expect(checks[0]?.detail).toMatch(/version 1 of its API/);
});

test('something else at that address, and a proxy that passes no WebSockets', async () => {
  const other = await serverThat((_request, response) => response.end('<h1>It works!</h1>'));
  expect((await checkFleet({ url: other, ...joined }))[0]).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('not as a fleet server'),
  });
  const proxy = await serverThat((_request, response) => response.end('{"status":"ok"}'));
  expect((await checkFleet({ url: proxy, ...joined })).at(-1)).toMatchObject({ subject: 'mqtt', state: 'fail' });
});

test('nobody there; not joined yet; no way to join', async () => {
  const url = 'http://127.0.0.1:1';
  expect(await checkFleet({ url, hasJoined: false, hasToken: true })).toMatchObject([
    { state: 'fail', detail: expect.stringContaining('connection refused') },
    { subject: 'membership', state: 'warn' },
  ]);
  expect((await checkFleet({ url, hasJoined: false, hasToken: false }))[1]).toMatchObject({ state: 'fail' });
  const loss = 'credentials.json in the state directory cannot be read';
  expect((await checkFleet({ url, hasJoined: false, hasToken: false, loss }))[1]).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining(loss),
  });
});
