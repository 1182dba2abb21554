/** The fleet server is killed, and another one starts: nginx, and the streams in it, must not notice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RelayState } from '#fleet-server/relay/contract.ts';
import { groupMembers, signalGroup } from '#fleet-server/relay/process-group.ts';
import type { RelayReception } from '#protocol/model/device.ts';
import { freePort } from '../../free-ports.ts';
import { ended, keyOf, probe, RelayBench } from './relay-bench.ts';

type Told = { state?: RelayState; deviceId?: string; reception?: RelayReception | null };

class Child {
  readonly process: ChildProcess;
  readonly #told: Told[] = [];
  readonly #waiters = new Set<() => void>();
  #errors = '';

  constructor(dataDirectory: string, rtmpPort: number) {
    const program = fileURLToPath(new URL('./relay-child.ts', import.meta.url));
    this.process = spawn(process.execPath, [program, dataDirectory, String(rtmpPort)], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    if (this.process.stdout !== null) {
      createInterface({ input: this.process.stdout }).on('line', (line) => {
        this.#told.push(JSON.parse(line));
        for (const waiter of this.#waiters) waiter();
      });
    }
  }

  until<T>(pick: (told: Told) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.#told.map(pick).find((value) => value !== undefined);
        if (found !== undefined) resolve(found);
      };
      this.#waiters.add(look);
      this.process.once('exit', () => reject(new Error(`the child ended: ${this.#errors}`)));
      look();
    });
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const gone = ended(this.process);
    this.process.kill(signal);
    await gone;
  }
}

let bench: RelayBench;
let children: Child[];
let masters: number[];
beforeEach(async () => {
  bench = new RelayBench(await freePort(), await mkdtemp(join(tmpdir(), 'relay-test-')));
  children = [];
  masters = [];
});
afterEach(async () => {
  for (const child of children) await child.kill('SIGTERM');
  await bench.stop();
  for (const master of masters) await signalGroup(master, 'SIGKILL');
});

async function start(rtmpPort = bench.rtmpPort): Promise<{ child: Child; state: RelayState }> {
  const child = new Child(bench.dataDirectory, rtmpPort);
  children.push(child);
  const state = await child.until((told) => told.state);
  if (state.processId !== null) masters.push(state.processId);
  return { child, state };
}

test('the next server takes over the nginx that is running, and the stream never stops', async () => {
  const first = await start();
  const publisher = bench.publish('dev-one');
  const before = await first.child.until((told) => told.reception ?? undefined);
  await first.child.kill('SIGKILL');
  expect((await groupMembers(first.state.processId ?? 0)).length).toBeGreaterThan(1);
  const started = performance.now();
  const second = await start();
  const takenOverMs = Math.round(performance.now() - started);
  expect(second.state).toMatchObject({ kind: 'running', adopted: true, processId: first.state.processId });
  const after = await second.child.until((told) => told.reception ?? undefined);
  expect(after.bytesReceived).toBeGreaterThan(before.bytesReceived);
  expect(Math.abs(Date.parse(after.receivingSince) - Date.parse(before.receivingSince))).toBeLessThan(500);
  expect(publisher.exitCode).toBeNull();
  // The callbacks of the adopted nginx reach the new server: another device may publish, a wrong key may not.
  bench.publish('dev-two');
  await second.child.until((told) => (told.deviceId === 'dev-two' ? told.reception : undefined));
  const wrong = bench.publish('dev-three', { key: keyOf('dev-two') });
  await ended(wrong);
  expect(wrong.exitCode).not.toBe(0);
  await second.child.kill('SIGTERM');
  expect(await groupMembers(first.state.processId ?? 0)).toEqual([]);
  console.info(`a new process has taken over the relay in ${takenOverMs} ms, start of Node included`);
});

test('an adopted nginx that is killed is replaced', async () => {
  const first = await start();
  await first.child.kill('SIGKILL');
  const second = await start();
  expect(second.state.adopted).toBe(true);
  process.kill(second.state.processId ?? 0, 'SIGKILL');
  const publisherLoop = async () => {
    for (;;) {
      const publisher = bench.publish('dev-one');
      const received = second.child.until((told) => told.reception ?? undefined).then(() => true);
      if (await Promise.race([received, ended(publisher).then(() => false)])) return;
    }
  };
  const started = performance.now();
  await publisherLoop();
  console.info(`stream at the relay after kill -9 of an adopted master: ${Math.round(performance.now() - started)} ms`);
  await second.child.kill('SIGTERM');
});

test('a server that is to use another port ends the old nginx and starts its own', async () => {
  const first = await start();
  await first.child.kill('SIGKILL');
  const second = await start(await freePort());
  expect(second.state).toMatchObject({ kind: 'running', adopted: false });
  expect(second.state.processId).not.toBe(first.state.processId);
  expect(await groupMembers(first.state.processId ?? 0)).toEqual([]);
});

test('workers whose master was killed while no server was there do not keep the port', async () => {
  const first = await start();
  await first.child.kill('SIGKILL');
  process.kill(first.state.processId ?? 0, 'SIGKILL');
  expect((await groupMembers(first.state.processId ?? 0)).length).toBeGreaterThan(0);
  const second = await start();
  expect(second.state).toMatchObject({ kind: 'running', adopted: false });
  expect(await groupMembers(first.state.processId ?? 0)).toEqual([]);
});

test('a server that ends as it should ends nginx, and leaves the port free', async () => {
  const first = await start();
  await first.child.kill('SIGTERM');
  expect(first.child.process.exitCode).toBe(0);
  expect(await groupMembers(first.state.processId ?? 0)).toEqual([]);
  await expect(probe(bench.address('dev-one', ''))).rejects.toThrow();
  const server = createServer().listen(bench.rtmpPort);
  await new Promise((resolve) => server.once('listening', resolve));
  await new Promise((resolve) => server.close(resolve));
  await rm(bench.dataDirectory, { recursive: true, force: true });
});
