import { readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type AgentStatus, askAgent, StatusDoor, statusSocket } from '#device/doctor/agent-status.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const status: AgentStatus = { processId: 42, isConnected: null, health: null };

test('whoever owns the directory may ask, again and again', async () => {
  const directory = await temporaryDirectory();
  const door = new StatusDoor(() => status);
  await door.open(directory);
  onTestFinished(() => door.close());
  expect(await askAgent(directory)).toEqual(status);
  expect(await askAgent(directory)).toEqual(status);
  expect((await stat(statusSocket(directory))).mode & 0o777).toBe(0o600);
  await Promise.all([door.close(), door.close()]);
  expect(await askAgent(directory)).toBeNull();
});

test('a door that is closed while it is being opened is closed', async () => {
  const directory = await temporaryDirectory();
  const door = new StatusDoor(() => status);
  const opened = door.open(directory);
  await door.close();
  await opened;
  expect(await readdir(directory)).toEqual([]);
});

test('the socket of an agent that was killed is in nobody’s way', async () => {
  const directory = await temporaryDirectory();
  await writeFile(statusSocket(directory), '');
  const door = new StatusDoor(() => status);
  await door.open(directory);
  onTestFinished(() => door.close());
  expect(await askAgent(directory)).toEqual(status);
});

test.each(['', 'no JSON\n', '{"processId":"x"}\n', `${'x'.repeat(300_000)}\n`])('an answer that is none: %.20s', async (answer) => {
  const directory = await temporaryDirectory();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(statusSocket(directory), resolve));
  onTestFinished(() => void server.close());
  expect(await askAgent(directory)).toBeNull();
});
