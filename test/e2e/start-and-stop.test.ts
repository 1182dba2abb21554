/** What a person meets at the terminal: starting again, ports in use, wrong configuration, a full disk, Ctrl-C. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { processOf } from '../processes.ts';
import { until } from '../until.ts';
import { launchSystem, prepareSystem, type RunningSystem, remainingProcesses, spawnStart } from './running-system.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function prepare() {
  const prepared = await prepareSystem();
  folders.push(prepared.folder);
  return prepared;
}

/** Runs npm start until it ends by itself. */
async function startAndFail(
  environment: NodeJS.ProcessEnv,
  prefix: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const { child, output } = spawnStart({ ...environment, FLEET_LOG_LEVEL: 'warn' }, prefix);
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, output: output() };
}

/** A namespace of its own for what follows: root makes one as it is, others inside a namespace of users. */
function withNamespace(kind: '--net' | '--mount'): readonly string[] {
  return process.getuid?.() === 0 ? ['unshare', kind] : ['unshare', '--map-current-user', '--keep-caps', kind];
}

/** Lines that a person is meant to read: ours, not npm's own around them, nor progress. */
function complaints(output: string): readonly string[] {
  return output.split('\n').filter((line) => line.trim() !== '' && !/^(>|npm |Starting|MakeSpaceLive runs)/.test(line));
}

describe('starting again', () => {
  test('is quick, knows the device, and leaves no process behind', async () => {
    const { folder, environment } = await prepare();
    delete environment['FLEET_ADMIN_PASSWORD'];
    const first: RunningSystem = await launchSystem(folder, environment);
    expect(first.output()).toMatch(/password \S{12,} \(made now/);
    const [device] = (await first.api.devices()).devices;
    expect(await first.stop()).toBe(true);
    await until('no process left', 3000, () => remainingProcesses(folder, first.output()).length === 0);

    const begin = performance.now();
    const second = await launchSystem(folder, { ...environment, KNOWN_ADMIN_PASSWORD: first.adminPassword });
    const tookMs = performance.now() - begin;
    process.stdout.write(`  npm start with nothing to do, until it runs: ${(tookMs / 1000).toFixed(2)} s\n`);
    expect(second.output()).toContain('npm run admin-password');
    expect(second.output()).not.toContain(first.adminPassword);
    expect((await second.api.devices()).devices.map(({ id }) => id)).toEqual([device?.id]);
    expect(await second.stop()).toBe(true);
    await until('no process left', 3000, () => remainingProcesses(folder, second.output()).length === 0);
  });

  test('joins anew when the fleet server’s data is gone', async () => {
    const { folder, environment } = await prepare();
    const first = await launchSystem(folder, environment);
    const [device] = (await first.api.devices()).devices;
    expect(await first.stop()).toBe(true);
    await rm(first.dataDirectory, { recursive: true });
    const second = await launchSystem(folder, environment);
    expect(second.output()).toContain('it joins anew');
    const [newcomer] = (await second.api.devices()).devices;
    expect(newcomer?.id).not.toBe(device?.id);
    await until('the stream', 15_000, async () => (await second.api.device(newcomer?.id ?? '')).stream.kind === 'live');
    expect(await second.stop()).toBe(true);
  });

  describe('Ctrl-C after the fleet server was killed leaves no process behind either', () => {
    const program = '.build/server/fleet-server.js';

    test.for([
      { moment: 'before the next one runs', hasCome: () => true },
      { moment: 'while the next one starts', hasCome: (folder: string) => processOf(folder, program) !== undefined },
    ])('$moment', async ({ hasCome }) => {
      const { folder, environment } = await prepare();
      const system = await launchSystem(folder, environment);
      process.kill(Number(processOf(folder, program)), 'SIGKILL');
      await until('the supervisor to notice', 5000, () => system.output().includes('The fleet server ended (SIGKILL)'));
      await until('the moment', 5000, () => hasCome(folder));
      expect(await system.stop()).toBe(true);
      await until('no process left', 3000, () => remainingProcesses(folder, system.output()).length === 0);
    });
  });

  test('works without any network but the machine’s own', async () => {
    const { folder, environment } = await prepare();
    const isolated = [...withNamespace('--net'), 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
    const { child, output } = spawnStart(environment, isolated);
    const exited = once(child, 'exit');
    await until('the welcome', 60_000, () => output().includes('MakeSpaceLive runs.')).catch((cause: unknown) => {
      throw new Error(output(), { cause });
    });
    process.kill(-Number(child.pid), 'SIGINT');
    await exited;
    expect(output()).toMatch(/\nStopped\.\n/);
    expect(remainingProcesses(folder, output())).toEqual([]);
  });
});

test('a first start that fails does not use up the password that is shown once', async () => {
  const { folder, environment } = await prepare();
  delete environment['FLEET_ADMIN_PASSWORD'];
  const stranger = createServer().listen(Number(environment['FLEET_RTMP_PORT']), '0.0.0.0');
  await once(stranger, 'listening');
  expect((await startAndFail(environment)).code).not.toBe(0);
  await once(stranger.close(), 'close');
  const system = await launchSystem(folder, environment);
  expect(system.output()).toContain('made now, shown only here');
  expect(await system.stop()).toBe(true);
});

test('wrong settings of the device: each is named, at the terminal and in the dashboard, and it streams', async () => {
  const { folder, environment } = await prepare();
  const system = await launchSystem(folder, { ...environment, AV_VIDEO_WIDTH: 'wide', AV_VIDEO_FRAMERATE: '1000' });
  const [device] = (await system.api.devices()).devices;
  const { stream, conditions } = await until('the stream and the refusal', 15_000, async () => {
    const detail = await system.api.device(device?.id ?? '');
    return detail.stream.kind === 'live' && detail.conditions.length > 0 && detail;
  });
  expect(stream.kind).toBe('live');
  const refused = conditions.find(({ code }) => code === 'settings-refused');
  for (const told of [system.output(), refused?.detail]) {
    expect(told).toMatch(/AV_VIDEO_WIDTH: expected .*wide/);
    expect(told).toMatch(/AV_VIDEO_FRAMERATE: expected .*1000/);
  }
  expect(await system.stop()).toBe(true);
});

describe('one clear line, what to do, and a non-zero exit', () => {
  test.for(['FLEET_HTTP_PORT', 'FLEET_MQTT_PORT', 'FLEET_RTMP_PORT'])('%s in use', async (variable) => {
    const { folder, environment } = await prepare();
    const stranger = createServer().listen(Number(environment[variable]), '0.0.0.0');
    await once(stranger, 'listening');
    const { code, output } = await startAndFail(environment);
    await once(stranger.close(), 'close');
    expect(code, output).not.toBe(0);
    const lines = complaints(output);
    expect(lines, output).toHaveLength(1);
    expect(lines[0]).toContain(String(environment[variable]));
    expect(lines[0]).toContain(variable);
    expect(remainingProcesses(folder)).toEqual([]);
  });

  test('wrong configuration: every problem at once', async () => {
    const { folder, environment } = await prepare();
    const { code, output } = await startAndFail({ ...environment, FLEET_HTTP_PORT: 'eighty', FLEET_PUBLIC_URL: 'nowhere' });
    expect(code).not.toBe(0);
    expect(output).toMatch(/FLEET_HTTP_PORT.*eighty/);
    expect(output).toMatch(/FLEET_PUBLIC_URL.*nowhere/);
    expect(remainingProcesses(folder)).toEqual([]);
  });

  test('no disk', async () => {
    const { folder, environment } = await prepare();
    const full = [
      ...withNamespace('--mount'),
      'sh',
      '-c',
      `mount -t tmpfs -o size=64k none '${folder}' && head -c 60k /dev/zero > '${folder}/full' && exec "$@"`,
      'sh',
    ];
    const { code, output } = await startAndFail(environment, full);
    expect(code, output).not.toBe(0);
    const lines = complaints(output);
    expect(lines, output).toHaveLength(1);
    expect(lines[0]).toMatch(/disk|space/i);
    expect(remainingProcesses(folder)).toEqual([]);
  });
});
