/** No container can be started in these tests: the compose file is read, and the load balancer's configuration is checked by nginx itself. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connectAsync } from 'mqtt';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readConfiguration } from '#device/configuration.ts';
import { parseConfiguration } from '#fleet-server/configuration.ts';
import { settingKeys } from '#protocol/settings.ts';
import { password, signIn } from '../fleet-server/process/writes.ts';
import { environmentFor, startServer } from '../fleet-server/running-server.ts';
import { canBalance, LoadBalancer, onThisMachine } from '../fleet-server/servers/load-balancer.ts';
import { read, root } from './source-files.ts';

type Service = {
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly build?: { dockerfile: string };
  readonly networks?: { readonly default: { readonly ipv4_address: string } };
};
type Compose = { readonly services: Readonly<Record<string, Service>>; readonly volumes: Readonly<Record<string, unknown>> };

const script = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))';
const hasYaml = canRun('python3', ['-c', 'import yaml']);

function canRun(program: string, argumentList: readonly string[]): boolean {
  try {
    execFileSync(program, [...argumentList], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('the compose file is YAML, and each fleet server in it has a configuration that it would start with', (context) => {
  if (!hasYaml) return context.skip('needs python3-yaml to read YAML');
  const text = execFileSync('python3', ['-c', script, join(root, 'docs/compose/docker-compose.yml')], { encoding: 'utf8' });
  const { services, volumes } = JSON.parse(text) as Compose;
  expect(Object.keys(services)).toEqual(['database', 'fleet-1', 'fleet-2', 'load-balancer']);
  const keyFiles = new Set<string | null>();
  for (const name of ['fleet-1', 'fleet-2']) {
    const { environment = {}, volumes: mounted = [], build } = services[name] ?? {};
    const filledIn = Object.entries(environment).map(([key, value]) => [
      key,
      value.replaceAll(/\$\{\w+(?::\?[^}]*|:-([^}]*))\}/g, (_all, other) => other ?? 'Geheim123'),
    ]);
    const parsed = parseConfiguration(Object.fromEntries(filledIn));
    if (parsed.kind === 'problems') throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.configuration.serverUrl).toBe(`http://${name}:8080`);
    keyFiles.add(parsed.configuration.keyFile);
    expect(parsed.configuration.trustedProxies).toEqual([services['load-balancer']?.networks?.default.ipv4_address]);
    expect(mounted.every((mount) => Object.hasOwn(volumes, mount.split(':', 1)[0] ?? ''))).toBe(true);
    expect(existsSync(join(root, build?.dockerfile ?? 'nothing'))).toBe(true);
  }
  expect(keyFiles.size).toBe(1);
});

/** Of a service, from the supervisor's documentation; it refuses a release with any other, and every bind mount. */
const knownToBalena = ['build', 'environment', 'labels', 'network_mode', 'privileged', 'restart', 'volumes'];

test('the device’s compose file has only what balena’s supervisor takes, and starts what is in the image', (context) => {
  if (!hasYaml) return context.skip('needs python3-yaml to read YAML');
  const text = execFileSync('python3', ['-c', script, join(root, 'docker-compose.yml')], { encoding: 'utf8' });
  const { services, volumes } = JSON.parse(text) as Compose;
  for (const service of Object.values(services)) {
    expect(Object.keys(service).filter((field) => !knownToBalena.includes(field))).toEqual([]);
    expect(service.volumes?.every((mount) => Object.hasOwn(volumes, mount.split(':', 1)[0] ?? ''))).toBe(true);
  }
  const entry = /^ENTRYPOINT \["\/app\/(.+)"\]$/m.exec(read('Dockerfile.template'))?.[1] ?? '';
  for (const name of [entry, 'setup/container/as-agent.sh', 'setup/container/makespacelive.sh', 'setup/container/fleet-server.sh']) {
    accessSync(join(root, name), constants.X_OK);
    execFileSync('sh', ['-n', join(root, name)]);
  }
});

test('the device’s compose file hands on whatever the agent reads, and what is not set is as if it were not named', (context) => {
  if (!hasYaml) return context.skip('needs python3-yaml to read YAML');
  const text = execFileSync('python3', ['-c', script, join(root, 'docker-compose.yml')], { encoding: 'utf8' });
  const { agent } = (JSON.parse(text) as { services: { agent: { environment: string[] } } }).services;
  // The state directory is the volume’s, as the image says.
  const own = ['FLEET_URL', 'FLEET_JOIN_TOKEN', 'FLEET_CA_FILE', 'AGENT_BOARD_ID', 'AGENT_LOG_LEVEL'];
  expect(agent.environment).toEqual([...own, ...settingKeys]);
  for (const name of read('device/configuration.ts').matchAll(/'((?:FLEET|AGENT)_[A-Z_]+)'/g)) {
    expect(['AGENT_STATE_DIR', ...own]).toContain(name[1]);
  }
  const empty = Object.fromEntries(agent.environment.map((name) => [name, '']));
  const machine = { homeDirectory: '/home/node', isBalenaDataWritable: false };
  expect(readConfiguration(empty, machine)).toEqual(readConfiguration({}, machine));
});

test('the load balancer knows both fleet servers and all three ports, and bounds what one client opens at each', () => {
  const text = read('docs/compose/load-balancer.conf');
  for (const port of [8080, 1883, 1935]) {
    expect(text).toMatch(new RegExp(`listen ${port};\\n +limit_conn \\w+ 1024;`));
    for (const name of ['fleet-1', 'fleet-2']) expect(text).toContain(`server ${name}:${port} `);
  }
});

test('nginx takes the load balancer’s configuration', (context) => {
  if (!canBalance) return context.skip('needs libnginx-mod-stream');
  const folder = mkdtempSync(join(tmpdir(), 'msl-balancer-'));
  // Names that only the containers' network has.
  const text = read('docs/compose/load-balancer.conf').replaceAll(/fleet-[12]:/g, '127.0.0.1:');
  const path = join(folder, 'nginx.conf');
  writeFileSync(path, onThisMachine(text, folder));
  execFileSync('nginx', ['-t', '-p', folder, '-c', path], { stdio: 'pipe' });
  rmSync(folder, { recursive: true });
});

async function serve(folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const server = startServer(environment);
  onTestFinished(async () => {
    server.child.kill('SIGTERM');
    await server.exit;
    rmSync(folder, { recursive: true });
  });
  await server.ready;
}

/** Twice the same server behind it, which believes what it says. */
async function balanced(): Promise<string> {
  const balancer = await LoadBalancer.prepare();
  onTestFinished(() => balancer.remove());
  const folder = mkdtempSync(join(tmpdir(), 'msl-balanced-'));
  const environment = await environmentFor(folder, { FLEET_ADMIN_PASSWORD: password, FLEET_TRUSTED_PROXIES: '127.0.0.1' });
  await serve(folder, environment);
  const port = (name: string) => Number(environment[name]);
  const ports = { http: port('FLEET_HTTP_PORT'), mqtt: port('FLEET_MQTT_PORT'), rtmp: port('FLEET_RTMP_PORT') };
  await balancer.start([ports, ports]);
  return `http://127.0.0.1:${balancer.ports.http}`;
}

test('whoever uses up the sign-ins of their address behind the load balancer keeps nobody else out', async (context) => {
  if (!canBalance) return context.skip('needs libnginx-mod-stream');
  const url = await balanced();
  const signInFrom = async (localAddress: string, person: object, madeUp: string) => {
    const asked = request(`${url}/api/v1/session`, {
      method: 'POST',
      localAddress,
      agent: false,
      headers: { 'content-type': 'application/json', 'x-forwarded-for': madeUp },
    });
    asked.end(JSON.stringify(person));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  // Without a password there is nothing to compare, which takes its time.
  for (let count = 0; count < 20; count += 1) expect(await signInFrom('127.0.0.2', {}, `192.0.2.${count}`)).not.toBe(429);
  expect(await signInFrom('127.0.0.2', {}, '192.0.2.20')).toBe(429);
  expect(await signInFrom('127.0.0.3', { name: 'admin', password }, '127.0.0.2')).toBe(200);
});

test('live changes of a page and MQTT over WebSocket go through the load balancer', async (context) => {
  if (!canBalance) return context.skip('needs libnginx-mod-stream');
  const url = await balanced();
  const cookie = await signIn(url);
  const changes = await fetch(`${url}/api/v1/changes`, { headers: { cookie } });
  expect(changes.headers.get('content-type')).toContain('text/event-stream');
  const reader = changes.body?.getReader();
  expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
  await reader?.cancel();
  const options = { clientId: 'd-nobody1234', username: 'd-nobody1234', password: 'guessed at', reconnectPeriod: 0 };
  // The broker's own answer.
  await expect(connectAsync(`${url.replace('http:', 'ws:')}/mqtt`, options)).rejects.toMatchObject({ code: 4 });
});

describe('what is called in the fleet server’s container', () => {
  const script = 'setup/container/fleet-server.sh';
  const shell = /^docker compose (?:exec|run) .*sh -c '(.+)' [<>] key\.tar$/gm;
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'msl-container-'));
    const dockerfile = read('docs/compose/fleet-server.Dockerfile');
    expect(dockerfile).toContain(`COPY ${script} setup/container/\n`);
    const name = new RegExp(`ln -s /app/${script} /usr/local/bin/(\\w+)$`, 'm').exec(dockerfile)?.[1] ?? '';
    symlinkSync(join(root, script), join(folder, name));
    path = `${folder}:${dirname(process.execPath)}:/usr/bin:/bin`;
  });

  test('the key’s backup and what brings it back, as the documentation has them', () => {
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [backUp, restore, ...more] = [...read('docs/running-a-fleet.md').matchAll(shell)].map(([, line = '']) =>
      line.replaceAll('/tmp/backup', join(folder, 'backup')),
    );
    expect(more).toEqual([]);
    const key = join(folder, 'shared.key');
    const data = join(folder, 'data');
    mkdirSync(data);
    writeFileSync(join(data, 'something'), '');
    const env = {
      PATH: path,
      FLEET_DATA_DIR: data,
      FLEET_KEY_FILE: key,
      FLEET_DATABASE_URL: 'postgresql://fleet@localhost/fleet',
      FLEET_SERVER_URL: 'http://fleet-1:8080',
    };
    const bytes = randomBytes(32);
    writeFileSync(key, bytes, { mode: 0o600 });
    const archive = execFileSync('sh', ['-c', backUp ?? 'false'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    expect(existsSync(join(folder, 'backup'))).toBe(false);
    rmSync(key);
    execFileSync('sh', ['-c', restore ?? 'false'], { env, input: archive, stdio: 'pipe' });
    expect(readFileSync(key)).toEqual(bytes);
    expect(statSync(key).mode & 0o777).toBe(0o600);
  });

  test('a join token, while the server runs', async () => {
    const environment = { ...(await environmentFor(folder, { FLEET_ADMIN_PASSWORD: password })), PATH: path };
    await serve(folder, environment);
    const token = execFileSync('makespacelive', ['join-token', '--uses', '20'], { env: environment, encoding: 'utf8' });
    expect(token).toMatch(/^\S+\n$/);
  });
});

test.each([
  ['Dockerfile.template', '.dockerignore'],
  ['docs/compose/fleet-server.Dockerfile', 'docs/compose/fleet-server.Dockerfile.dockerignore'],
])('what %s copies is let through by %s', (dockerfile, ignoreFile) => {
  const [first, ...patterns] = read(ignoreFile).trim().split('\n');
  expect(first).toBe('*');
  const letThrough = patterns.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const copied = read(dockerfile)
    .split('\n')
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  expect(copied.length).toBeGreaterThan(2);
  for (const path of copied) {
    expect(existsSync(join(root, path)), path).toBe(true);
    expect(
      letThrough.some((allowed) => path === allowed || path.startsWith(`${allowed}/`)),
      path,
    ).toBe(true);
  }
});
