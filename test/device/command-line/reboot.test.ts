import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { rebootBoard } from '#device/command-line/reboot.ts';

/** A supervisor that answers with that status, and what it was asked. */
async function supervisor(status: number): Promise<readonly string[]> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('BALENA_SUPERVISOR_ADDRESS', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('BALENA_SUPERVISOR_API_KEY', 'a-key');
  onTestFinished(() => {
    vi.unstubAllEnvs();
    server.close();
    server.closeAllConnections();
  });
  return asked;
}

test('in balena’s container its supervisor is asked', async () => {
  const asked = await supervisor(202);
  expect(await rebootBoard()).toBeNull();
  expect(asked).toEqual(['POST /v1/reboot Bearer a-key']);
});

test('what it refuses is told, without its key', async () => {
  await supervisor(423);
  expect(await rebootBoard()).toBe('balena’s supervisor answered 423');
});
