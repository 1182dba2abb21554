/**
 * Real agents with real state directories at a real fleet server with its broker and relay: a newcomer that waits for approval, and a card
 * that was copied while its device streams. On one machine all boards have one serial number, so each agent is told which board it is.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMeAnew } from '#device/exit-codes.ts';
import type { DeviceDetail, DeviceList } from '#protocol/model/device.ts';
import { childEnvironment } from '../child-environment.ts';
import { agentProgram } from '../device/agent-program.ts';
import { environmentFor, type RunningServer, startServer } from '../fleet-server/running-server.ts';
import { processesWith } from '../processes.ts';
import { until } from '../until.ts';

const password = 'a password for tests';

type Agent = { readonly child: ChildProcess; output(): string };

let folder: string;
let server: RunningServer;
let url: string;
let cookie = '';
let originalId = '';
const agents: Agent[] = [];

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const headers = { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await fetch(`${url}/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  cookie = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? cookie;
  return (response.status === 204 ? undefined : await response.json()) as T;
}

const device = (id: string) => call<DeviceDetail>('GET', `/devices/${id}`);
const devices = async () => (await call<DeviceList>('GET', '/devices')).devices;
const token = async (request: object) => (await call<{ token: string }>('POST', '/join-tokens', request)).token;
const isLive = async (id: string) => (await device(id)).stream.kind === 'live';

function startAgent(card: string, board: string, joinToken?: string): Agent {
  const env = {
    ...{ ...childEnvironment(), AGENT_STATE_DIR: join(folder, card), AGENT_BOARD_ID: board, FLEET_URL: url },
    ...{ AV_VIDEO_SOURCE: 'test', AV_VIDEO_WIDTH: '320', AV_VIDEO_HEIGHT: '240', AV_VIDEO_FRAMERATE: '10' },
    ...(joinToken === undefined ? {} : { FLEET_JOIN_TOKEN: joinToken }),
  };
  const child = spawn(process.execPath, [agentProgram], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const agent = { child, output: () => text };
  agents.push(agent);
  return agent;
}

async function stop({ child }: Agent): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'msl-newcomers-'));
  const environment = await environmentFor(folder, { FLEET_ADMIN_PASSWORD: password, FLEET_LOG_LEVEL: 'info' });
  server = startServer(environment);
  ({ url } = await server.ready);
  await call('POST', '/session', { name: 'admin', password });
});

afterAll(async () => {
  await Promise.all(agents.map(stop));
  server.child.kill('SIGTERM');
  await server.exit;
  await until('no process left', 10_000, () => processesWith(folder).length === 0);
  await rm(folder, { recursive: true, force: true });
});

test('a newcomer is seen and streams nowhere until somebody approves it; then it is live', async () => {
  const agent = startAgent('card', 'board-one', await token({ approval: true, tags: ['loan'] }));
  const waiting = await until('the newcomer', 20_000, async () => (await devices()).find(({ presence }) => presence.state === 'online'));
  originalId = waiting.id;
  expect(waiting).toMatchObject({ tags: ['loan'], waitingSince: expect.any(String), relay: null });
  await until('its picture without a target', 20_000, async () => (await device(originalId)).stream.detail.includes('waits for approval'));
  await until('its own word', 20_000, () => agent.output().includes('waits until somebody approves it'));
  expect((await device(originalId)).outputs.filter(({ kind }) => kind !== 'preview')).toEqual([]);
  await call('POST', `/devices/${originalId}/approval`, { decision: 'approve' });
  await until('live', 20_000, () => isLive(originalId));
  expect((await device(originalId)).waitingSince).toBeNull();
});

test('a copied card without a token waits and says so, and the original notices nothing', async () => {
  const before = await device(originalId);
  await cp(join(folder, 'card'), join(folder, 'copy'), { recursive: true, filter: (path) => !/\.(?:sock|pid)$/.test(path) });
  const copy = startAgent('copy', 'board-two');
  await until('the word of the copy', 20_000, () => copy.output().includes('this board waits'));
  expect(copy.output()).toContain(`what is on this card was made for ${originalId} on another board`);
  const after = await until('the condition', 10_000, async () => {
    const seen = await device(originalId);
    return seen.conditions.some(({ code }) => code === 'joined-twice') && seen;
  });
  expect(after.boards).toHaveLength(2);
  expect(after.presence).toEqual(before.presence);
  expect(after.stream.kind).toBe('live');
  await stop(copy);
});

test('with a token it becomes a device of its own, beside the original', async () => {
  const before = await device(originalId);
  startAgent('copy', 'board-two', await token({}));
  const other = await until('the second device', 20_000, async () => (await devices()).find(({ id }) => id !== originalId));
  await until('both live', 20_000, async () => (await isLive(other.id)) && (await isLive(originalId)));
  expect((await device(originalId)).presence).toEqual(before.presence);
});

test('a copy of a card that does not say whose it is throws the original off once, and is asked to leave', async () => {
  await cp(join(folder, 'card'), join(folder, 'old'), { recursive: true, filter: (path) => !/\.(?:sock|pid)$/.test(path) });
  const path = join(folder, 'old', 'credentials.json');
  const { boardId, ...old } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  expect(boardId).toMatch(/^[0-9a-f]{16}$/);
  await writeFile(path, JSON.stringify(old));
  const joinToken = await token({});
  const copy = startAgent('old', 'board-three', joinToken);
  expect(await once(copy.child, 'exit')).toEqual([startMeAnew, null]);
  // As its supervisor does.
  startAgent('old', 'board-three', joinToken);
  await until('three devices live', 30_000, async () => {
    const all = await devices();
    return all.length === 3 && all.every(({ stream }) => stream.kind === 'live');
  });
  const { boards } = await device(originalId);
  expect(boards.filter(({ isOnRecord }) => isOnRecord)).toMatchObject([{ id: boardId }]);
  expect(server.output()).toContain('two boards use the identity of one device');
});
