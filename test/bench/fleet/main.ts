/**
 * `npm run bench:fleet`: a simulated fleet that speaks the real protocol to a real server on the same machine. `-- --devices 10000
 * --seconds 120` for the whole; compare figures of the same machine only. With `--profile DIRECTORY` the server writes a CPU profile. With
 * `--steady` nobody is killed, and no other broker is measured: two minutes less. With `--whole-fleet` only what is done to all devices at once is
 * measured; with `--connected 1000` no more of them are there, and it takes a minute. With `--aged` the server has health of a day ago in its store,
 * and deletes as much as comes. Exits with 1 when the kill cost a setting or an event, or an event is stored twice.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { storePath } from '#fleet-server/store/store.ts';
import { fleetServerFlags } from '#setup/fleet-server-flags.ts';
import { environmentFor, type RunningServer, startServer } from '../../fleet-server/running-server.ts';
import { timeUntil, until } from '../../until.ts';
import { quantile } from '../media-host-kills.ts';
import { cpuSeconds } from '../process-figures.ts';
import { measureBesideMosquitto } from './beside-mosquitto.ts';
import { DiskProbe } from './disk-probe.ts';
import { eventFaults } from './event-faults.ts';
import { type FleetApi, signIn } from './fleet-api.ts';
import { putFleet, putOldHealth } from './fleet-in-store.ts';
import type { FromLoad, ToLoad } from './load.ts';
import type { MainThread } from './main-thread.ts';
import { type Credentials, preciseNowMs } from './simulated-device.ts';
import { measureWholeFleet } from './whole-fleet.ts';

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '30' },
    profile: { type: 'string' },
    steady: { type: 'boolean', default: false },
    aged: { type: 'boolean', default: false },
    connected: { type: 'string' },
    'whole-fleet': { type: 'boolean', default: false },
  },
});
const isWholeFleetOnly = values['whole-fleet'];
const deviceCount = Number(values.devices);
const connectedCount = Number(values.connected ?? values.devices);
const measuredS = Number(values.seconds);
/** Enough that one stall of the machine, of which there is one a minute, is not the whole figure. */
const samples = 400;
const password = 'correct horse battery';
const profiling = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
const watched = ['--import', join(import.meta.dirname, 'main-thread.ts')];
const nodeFlags = [...fleetServerFlags, ...profiling, ...watched];
const boundMs = 120_000;
const dayS = 86_400;

const directory = await mkdtemp(join(tmpdir(), 'msl-bench-fleet-'));
const load = fork(join(import.meta.dirname, 'load.ts'), { execArgv: watched });
const lagsMs: number[] = [];
const arrivals = new Map<string, number>();
let readyCount = 0;
let reportedCount = 0;
let quiet: Extract<FromLoad, { kind: 'quiet' }> | undefined;
load.on('message', (message: FromLoad | MainThread) => {
  if (message.kind === 'ready') readyCount = message.ready;
  else if (message.kind === 'quiet') quiet = message;
  else if (message.kind === 'event-stored') lagsMs.push(message.lagMs);
  else if (message.kind === 'reported') {
    reportedCount += 1;
    arrivals.set(`${message.deviceId} ${message.revision}`, message.atMs);
  } else if (message.kind === 'command-answered') arrivals.set(message.commandId, message.atMs);
});
const tellLoad = (message: ToLoad) => load.send(message);

let server: RunningServer | undefined;
try {
  const fleet = (await putFleet(directory, deviceCount)).slice(0, connectedCount);
  if (values.aged) putOldHealth(directory);
  const environment = await environmentFor(directory, {
    FLEET_ADMIN_PASSWORD: password,
    FLEET_WRITES_PER_MINUTE: '100000',
    FLEET_LOG_LEVEL: 'warn',
    // As setup/enter.mjs and setup/start.ts start it.
    MALLOC_ARENA_MAX: '2',
  });
  server = startServer(environment, [], nodeFlags);
  const pid = server.child.pid ?? 0;
  const api = await signIn((await server.ready).url, password);
  const mqttPort = Number(environment['FLEET_MQTT_PORT']);
  tellLoad({ kind: 'start', port: mqttPort, fleet, overMs: Math.max(1000, connectedCount * 2) });
  const beforeCrowdS = cpuSeconds(pid);
  print('all devices connected, first time', seconds(await timeUntil('all devices', boundMs, everybodyIsThere)));
  print('server: its work for a device that connects', milliseconds(((cpuSeconds(pid) - beforeCrowdS) / connectedCount) * 1000));
  // What the crowd of births left behind is done.
  await delay(5000);
  const { child } = server;
  if (!isWholeFleetOnly) await measureSteadyLoad(child, api, fleet);
  await measureWholeFleet({ api, connectedCount, mainThread: () => mainThread(child), reportedCount: () => reportedCount, print });
  // A server that is killed writes no profile.
  if (values.profile === undefined && !values.steady && !isWholeFleetOnly) await measureKill(api, fleet, environment);
} finally {
  load.disconnect();
  server?.child.kill('SIGTERM');
  await server?.exit;
  await rm(directory, { recursive: true, force: true });
}
if (!values.steady && !isWholeFleetOnly) {
  const { ownMicroseconds, mosquittoMicroseconds } = await measureBesideMosquitto();
  print('the broker alone: CPU time a message of QoS 1', `${ownMicroseconds.toFixed(0)} µs`);
  print('the same load in Debian’s mosquitto', `${mosquittoMicroseconds.toFixed(0)} µs`);
  print('ratio', (ownMicroseconds / mosquittoMicroseconds).toFixed(1));
}

function everybodyIsThere(): boolean {
  tellLoad({ kind: 'ask' });
  return readyCount === connectedCount;
}

async function measureSteadyLoad(child: ChildProcess, api: FleetApi, fleet: readonly Credentials[]): Promise<void> {
  lagsMs.length = 0;
  const loadPid = load.pid ?? 0;
  const pid = child.pid ?? 0;
  await mainThread(child);
  const before = { cpuS: cpuSeconds(pid), loadCpuS: cpuSeconds(loadPid), atMs: performance.now(), bytes: bytesInStore() };
  await delay(measuredS * 1000);
  const elapsedS = (performance.now() - before.atMs) / 1000;
  const share = (cpuSeconds(pid) - before.cpuS) / elapsedS;
  print('server: share of one core, nobody looking', `${(share * 100).toFixed(1)} %`, 'under 50 %');
  const { cpuS, waitP99Ms, longestWaitMs } = await mainThread(child);
  print('server: of it, its main thread', `${((cpuS / elapsedS) * 100).toFixed(1)} %`, 'the rest: tidying up memory, the disk');
  print('server: what comes waits for that thread: p99', milliseconds(waitP99Ms), `at most ${milliseconds(longestWaitMs)}`);
  print('the simulated fleet: share of one core', `${(((cpuSeconds(loadPid) - before.loadCpuS) / elapsedS) * 100).toFixed(1)} %`);
  print('server: resident memory', `${Math.round(residentBytes(pid) / 1e6)} MB`, 'under 500 MB');
  print('an event said until its acknowledgement: p50', milliseconds(quantile(lagsMs, 0.5)));
  print('an event said until its acknowledgement: p99', milliseconds(quantile(lagsMs, 0.99)), `of ${lagsMs.length}`);
  const bytes = ((bytesInStore() - before.bytes) / deviceCount / elapsedS) * dayS;
  print('disk a device and day, before roll-up', `${(bytes / 1e6).toFixed(2)} MB`);
  print('GET /api/v1/devices, a page of 100: p99', milliseconds(quantile(await timePages(api), 0.99)), 'under 50 ms');
  await Promise.all([mainThread(child), mainThread(load)]);
  await using disk = await DiskProbe.start(directory);
  printTimes('settings until the report is taken', await timePushes(api, fleet));
  printTimes('command until its result is taken', await timeCommands(api, fleet));
  const [servers, loads] = await Promise.all([mainThread(child), mainThread(load)]);
  print('  meanwhile the longest wait for the server’s main thread', milliseconds(servers.longestWaitMs));
  print('  for that of the simulated fleet', milliseconds(loads.longestWaitMs));
  print('  for the disk, of who else flushes 4 kB to it', milliseconds(disk.longestMs), `p99 ${milliseconds(disk.quantile(0.99))}`);
}

function printTimes(what: string, times: readonly number[]): void {
  print(`${what}: p99`, milliseconds(quantile(times, 0.99)), `under 250 ms; at most ${milliseconds(Math.max(...times))}`);
}

async function timePages(api: FleetApi): Promise<number[]> {
  const times: number[] = [];
  let after: string | null = null;
  while (times.length < samples * 2) {
    const begin = performance.now();
    after = (await api.page(after)).next;
    times.push(performance.now() - begin);
  }
  return times;
}

/** The devices that are asked, spread over the fleet. */
function chosen(fleet: readonly Credentials[]): string[] {
  return Array.from({ length: samples }, (_, index) => fleet[Math.floor((index * fleet.length) / samples)]?.deviceId ?? '');
}

async function timePushes(api: FleetApi, fleet: readonly Credentials[]): Promise<number[]> {
  const times: number[] = [];
  for (const deviceId of chosen(fleet)) {
    const begin = preciseNowMs();
    const { desiredRevision } = await api.patchDevice(deviceId, { AV_VIDEO_BITRATE: 1000 + (times.length % 1000) });
    times.push((await arrival(`${deviceId} ${desiredRevision}`)) - begin);
  }
  return times;
}

async function timeCommands(api: FleetApi, fleet: readonly Credentials[]): Promise<number[]> {
  const times: number[] = [];
  for (const deviceId of chosen(fleet)) {
    const begin = preciseNowMs();
    times.push((await arrival(await api.command(deviceId))) - begin);
  }
  return times;
}

function arrival(key: string): Promise<number> {
  return until(`an answer to ${key}`, 20_000, () => arrivals.get(key));
}

async function measureKill(former: FleetApi, fleet: readonly Credentials[], environment: NodeJS.ProcessEnv): Promise<void> {
  const asked = chosen(fleet);
  const acknowledged = new Map<string, number>();
  for (const [index, deviceId] of asked.entries()) {
    await former.patchDevice(deviceId, { AV_VIDEO_BITRATE: 3000 + index });
    acknowledged.set(deviceId, 3000 + index);
  }
  if (server === undefined) return;
  server.child.kill('SIGKILL');
  await server.exit;
  readyCount = 0;
  const begin = performance.now();
  server = startServer(environment, [], nodeFlags);
  const api = await signIn((await server.ready).url, password);
  await until('the fleet', boundMs, everybodyIsThere);
  print('all devices back after kill -9 of the server', seconds(performance.now() - begin), 'under 60 s');
  let lost = 0;
  for (const [deviceId, value] of acknowledged) {
    const { settings } = await api.settings(deviceId);
    const desired = settings.find(({ key }) => key === 'AV_VIDEO_BITRATE')?.desired;
    if (desired?.kind !== 'plain' || desired.value !== value) lost += 1;
  }
  print('acknowledged settings that were lost', String(lost), 'none');
  // What was said while the server was away is said again, and stored.
  const askQuiet = () => {
    tellLoad({ kind: 'be-quiet' });
    return quiet?.unstored === 0 ? quiet : undefined;
  };
  const { eventsSaid } = await until('all events to be acknowledged', boundMs, askQuiet, 500);
  const wrong = await faultsOf(api, asked, eventsSaid);
  print('events lost', String(wrong.lost), `none, of ${wrong.said}`);
  print('events stored twice', String(wrong.doubled), 'none');
  if (lost + wrong.lost + wrong.doubled > 0) process.exitCode = 1;
}

async function faultsOf(api: FleetApi, deviceIds: readonly string[], eventsSaid: Readonly<Record<string, number>>) {
  const faults = { said: 0, lost: 0, doubled: 0 };
  for (const deviceId of new Set(deviceIds)) {
    const said = eventsSaid[deviceId] ?? 0;
    const { entries } = await api.history(deviceId, 'bench-event');
    const { lost, doubled } = eventFaults(
      said,
      entries.map(({ detail }) => Number(detail.replace('number ', ''))),
    );
    faults.said += said;
    faults.lost += lost;
    faults.doubled += doubled;
  }
  return faults;
}

/** Since it was asked the last time. */
async function mainThread(child: ChildProcess): Promise<MainThread> {
  const told = new Promise<MainThread>((resolve) => {
    const listen = (message: { readonly kind: string }) => {
      if (message.kind !== 'main-thread') return;
      child.off('message', listen);
      resolve(message as MainThread);
    };
    child.on('message', listen);
  });
  child.kill('SIGUSR2');
  return told;
}

/** In use, whether in the file or in its journal: the size of both together goes up and down by itself. */
function bytesInStore(): number {
  const database = new DatabaseSync(storePath(directory), { readOnly: true });
  const pragma = (name: string) => Number(database.prepare(`pragma ${name}`).get()?.[name]);
  const bytes = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  database.close();
  return bytes;
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

function print(what: string, figure: string, aim = ''): void {
  process.stdout.write(`${what.padEnd(56)} ${figure.padStart(12)}   ${aim}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}
