/**
 * The device's agent as a service, under a systemd of its own: the first process of its own world of processes, on the same files
 * and devices as everything here.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, createWriteStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../../until.ts';
import { type Laboratory, ScenarioSkipped } from '../scenario.ts';
import type { Place } from './station.ts';

const run = promisify(execFile);

const repository = join(import.meta.dirname, '..', '..', '..');
/** Where docs/operations.md puts things. */
const installed = '/opt/makespacelive';
const unit = 'makespacelive-agent.service';
const unitFolder = '/etc/systemd/system';
const environmentFile = '/etc/makespacelive/agent.env';
const systemd = '/lib/systemd/systemd';
const bootBoundMs = 60_000;
const orderBoundMs = 130_000;

/** Its own processes, mounts and control groups. What belongs to the start of a real machine (its disks, its clock, udev) stays off. */
const boot = `set -e
mount -t proc proc /proc
mount -t tmpfs none /run
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs none /lib/systemd/system/sysinit.target.wants
mount -t tmpfs none /lib/systemd/system/sockets.target.wants
exec env -i container=laboratory PATH="$PATH" ${systemd} --system --unit=laboratory.target --log-target=console --show-status=0`;

const target = '[Unit]\nDescription=The laboratory\nRequires=basic.target\nAfter=basic.target\n';

export type Service = {
  /** For a station: the agent is started as a service. */
  readonly place: Place;
  readonly systemctl: (...words: readonly string[]) => Promise<string>;
  /** What systemd knows of the agent by this name. */
  readonly property: (name: string) => Promise<string>;
  /** The agent itself, as it is numbered out here; null while there is none. */
  readonly agentProcess: () => number | null;
  /** Everything that runs as the service's user. */
  readonly processes: () => readonly number[];
  readonly userId: number;
};

/** Resolves when systemd runs. `dropIn`: what a person would add with "systemctl edit". */
export async function openService(laboratory: Laboratory, dropIn: string): Promise<Service> {
  if (!existsSync(systemd)) throw new ScenarioSkipped('there is no systemd on this machine');
  await putInPlace(dropIn);
  const child = spawn('unshare', ['--fork', '--pid', '--mount', '--cgroup', '--uts', '--kill-child', 'sh', '-c', boot], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(laboratory.logFile('systemd'));
  for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
  const exited = once(child, 'exit');
  laboratory.undoLater(async () => {
    child.kill('SIGKILL');
    await exited;
    log.end();
  });
  const first = await until('a first process', bootBoundMs, () =>
    readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim(),
  );
  const inThere = ['--target', first, '--mount', '--pid', '--cgroup', '--root', '--wd'];
  const systemctl = async (...words: readonly string[]) =>
    (await run('nsenter', [...inThere, 'systemctl', ...words], { timeout: orderBoundMs })).stdout.trim();
  await until('systemd to have nothing more to start', bootBoundMs, async () => {
    const waiting = await systemctl('list-jobs', '--no-legend');
    if (waiting !== '') throw new Error(waiting);
    return (await systemctl('is-active', 'basic.target')) === 'active';
  });
  const userId = Number((await run('id', ['--user', 'makespacelive'])).stdout);
  const processes = () => processesOf(userId);
  return {
    place: {
      start: async (environment) => {
        const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
        await writeFile(environmentFile, lines.join(''), { mode: 0o600 });
        await systemctl('start', unit);
      },
      reach: (port) => Promise.resolve(`127.0.0.1:${port}`),
    },
    systemctl,
    property: (name) => systemctl('show', '--value', '--property', name, unit),
    agentProcess: () => processes().find((id) => commandOf(id).includes('/agent.js')) ?? null,
    processes,
    userId,
  };
}

async function putInPlace(dropIn: string): Promise<void> {
  await mkdir(installed, { recursive: true });
  await run('mount', ['--bind', repository, installed]);
  await mkdir('/etc/sysusers.d', { recursive: true });
  const setup = join(repository, 'setup', 'systemd');
  await copyFile(join(setup, 'makespacelive.sysusers.conf'), '/etc/sysusers.d/makespacelive.conf');
  await run('systemd-sysusers');
  await mkdir(join(environmentFile, '..'), { recursive: true });
  // What is switched on here is for the machine outside.
  await run('mount', ['-t', 'tmpfs', 'none', unitFolder]);
  await copyFile(join(setup, unit), join(unitFolder, unit));
  await writeFile(join(unitFolder, 'laboratory.target'), target);
  await mkdir(join(unitFolder, `${unit}.d`));
  await writeFile(join(unitFolder, `${unit}.d`, 'laboratory.conf'), dropIn);
}

/** udev does that elsewhere; nothing runs it here. */
export async function giveDevicesToTheirGroups(): Promise<void> {
  const groups = new Map(
    (await readFile('/etc/group', 'utf8')).split('\n').map((line) => [line.split(':')[0], Number(line.split(':')[2])]),
  );
  const give = (path: string, group: string): void => {
    chownSync(path, 0, groups.get(group) ?? 0);
    chmodSync(path, 0o660);
  };
  for (const name of readdirSync('/dev').filter((name) => /^video\d+$/.test(name))) give(join('/dev', name), 'video');
  for (const name of readdirSync('/dev/snd')) give(join('/dev/snd', name), 'audio');
}

function processesOf(userId: number): readonly number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) && ownerOf(name) === userId ? [Number(name)] : []));
}

/** Null when it has ended meanwhile. */
function ownerOf(processId: string): number | null {
  return statSync(`/proc/${processId}`, { throwIfNoEntry: false })?.uid ?? null;
}

/** Empty for one that has ended meanwhile. */
function commandOf(processId: number): string {
  const file = `/proc/${processId}/cmdline`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
