/**
 * Prints the figures of a device: load, deaths, outage, and a camera that is put in again. Times depend on the machine: compare the ratios.
 * With `-- load`, `-- kills`, `-- outage` or `-- replug` only these. Ends with 0 when each bar was met, with 1 when one was missed.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { probe } from '../e2e/far-side.ts';
import { launchSystem, prepareSystem, type RunningSystem } from '../e2e/running-system.ts';
import { freePorts } from '../free-ports.ts';
import { processOf } from '../processes.ts';
import { timeUntil, until } from '../until.ts';
import { FigureSheet, underMs } from './figure-sheet.ts';
import { measureKills, quantile } from './media-host-kills.ts';
import { startPlainRelay } from './plain-relay.ts';
import { cpuSeconds, memoryTogetherBytes, peakRssBytes, proportionalBytes } from './process-figures.ts';
import { printDeaths, printOutage } from './recording-figures.ts';
import { printReplugs } from './replug-figures.ts';

const recoveries = 5;
/** Before each of them: what a look at the kernel's connections costs hangs on where the present one happens to stand there. */
const measuredMs = 20_000;
const kills = 100;
const outageMs = 60_000;
const megabyte = 1e6;
const recoveredWithinMs = 2000;
const mostCpuRatio = 1.1;
const mostMemoryBytes = 150 * megabyte;

type Load = {
  readonly cpuS: number;
  readonly peakBytes: readonly number[];
  readonly proportionalBytes: readonly number[];
  readonly togetherBytes: number | null;
};

const sheet = new FigureSheet((text) => process.stdout.write(text));
const { print } = sheet;

type Loads = { readonly ours: Load; readonly plain: Load };

/** Both over the same time: a machine that is slower for a while is so for both. */
async function loadsOf(pids: { readonly ours: readonly number[]; readonly plain: readonly number[] }): Promise<Loads> {
  const ours = startLoad(pids.ours);
  const plain = startLoad(pids.plain);
  await delay(measuredMs);
  return { ours: ours(), plain: plain() };
}

function startLoad(pids: readonly number[]): () => Load {
  const before = sumOf(pids.map(cpuSeconds));
  return () => ({
    cpuS: sumOf(pids.map(cpuSeconds)) - before,
    peakBytes: pids.map(peakRssBytes),
    proportionalBytes: pids.map(proportionalBytes),
    togetherBytes: memoryTogetherBytes(pids),
  });
}

/** The processor time of all, and the memory where it was most. */
function togetherOf([first, ...others]: readonly Load[]): Load {
  if (first === undefined) throw new Error('expected a load at least, found none');
  return others.reduce((most, load) => {
    const heavier = sumOf(load.proportionalBytes) > sumOf(most.proportionalBytes) ? load : most;
    return { ...heavier, cpuS: most.cpuS + load.cpuS };
  }, first);
}

const sumOf = (figures: readonly number[]) => figures.reduce((sum, each) => sum + each, 0);

const hostPid = (system: RunningSystem) => Number(readFileSync(join(system.stateDirectory, 'media-host.pid'), 'utf8'));

async function measureSystem(): Promise<Loads> {
  const { folder, environment } = await prepareSystem();
  const begin = performance.now();
  const system = await launchSystem(folder, environment);
  print('npm start until it says that it runs, first start', seconds(performance.now() - begin));
  const [device] = (await system.api.devices()).devices;
  const id = device?.id ?? '';
  await until('the first frame', 20_000, async () => (await probe((await system.api.playback(id)).rtmp)).video);
  print('npm start until a player at the relay has read the stream', seconds(performance.now() - begin));

  const agentPid = Number(processOf(folder, '.build/agent/agent.js'));
  const description = execFileSync(process.execPath, ['.build/agent/agent.js', '--print-pipeline'], {
    encoding: 'utf8',
    env: { ...environment, AGENT_STATE_DIR: join(folder, 'print') },
  });
  const loads: Loads[] = [];
  const times: number[] = [];
  for (let round = 0; round < recoveries; round += 1) {
    const gstLaunch = await startGstLaunch(description);
    loads.push(await loadsOf({ ours: [agentPid, hostPid(system)], plain: [gstLaunch.pid] }));
    await gstLaunch.stop();
    const killedAt = Date.now();
    process.kill(hostPid(system), 'SIGKILL');
    times.push(
      await timeUntil('the stream back', 20_000, async () => {
        const { relay, stream } = await system.api.device(id);
        return stream.kind === 'live' && Date.parse(relay?.receivingSince ?? '') > killedAt;
      }),
    );
  }
  times.sort((left, right) => left - right);
  const medianMs = times[Math.floor(recoveries / 2)] ?? 0;
  print(`media host killed, stream back at the relay (median of ${recoveries})`, seconds(medianMs), underMs(medianMs, recoveredWithinMs));
  print('  the slowest', seconds(times.at(-1) ?? 0));

  await system.stop();
  await system.remove();
  return { ours: togetherOf(loads.map(({ ours }) => ours)), plain: togetherOf(loads.map(({ plain }) => plain)) };
}

/** The same elements by gst-launch-1.0, whose tags go straight to rtmp2sink and whose previews go nowhere. */
async function startGstLaunch(description: string): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'makespacelive-bench-'));
  const [port = 0] = await freePorts(1);
  const relay = await startPlainRelay(folder, port);
  const pipeline = (/^pipeline: (.*)$/m.exec(description)?.[1] ?? '')
    .replace(' ! capssetter join=false replace=true caps=application/x-tags', '')
    .replace(/appsink name=tags( [a-z-]+=\S+)*/, `rtmp2sink chunk-size=4096 location=rtmp://127.0.0.1:${port}/live/bench`)
    .replace(/appsink name=preview-pictures( [a-z-]+=\S+)*/, 'fakesink sync=false')
    .replace('name=encoder', `name=encoder bitrate=${/encoder\.bitrate=(\d+)/.exec(description)?.[1]}`);
  // The words of the description, as a shell would split it: quotes hold words together.
  const words = pipeline.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  const child = spawn('gst-launch-1.0', ['-q', ...words.map((word) => word.replaceAll('"', ''))], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit');
  await until('gst-launch-1.0 at its relay', 20_000, async () => (await probe(`rtmp://127.0.0.1:${port}/live/bench`)).video);
  return {
    pid: Number(child.pid),
    async stop() {
      child.kill('SIGINT');
      await exited;
      await relay.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / megabyte).toFixed(0)} MB`;
}

function addends(bytes: readonly number[]): string {
  return `${bytes.map((each) => (each / megabyte).toFixed(0)).join(' + ')} = ${megabytes(sumOf(bytes))}`;
}

async function printKills(): Promise<void> {
  const { framesMs, relayMs, stories } = await measureKills(kills);
  const over = framesMs.filter((milliseconds) => milliseconds > recoveredWithinMs).length;
  const slowestMs = quantile(framesMs, 1);
  print(`media host killed ${kills} times at random moments: frames again (median)`, seconds(quantile(framesMs, 0.5)));
  print('  the slowest', seconds(slowestMs), underMs(slowestMs, recoveredWithinMs));
  print('  slower than 2 s', over, { words: '0', isMet: over === 0 });
  for (const story of stories) sheet.tell(story);
  print('  a publisher at the relay again: median, slowest', `${seconds(quantile(relayMs, 0.5))}, ${seconds(quantile(relayMs, 1))}`);
}

async function printLoad(): Promise<void> {
  const { ours, plain } = await measureSystem();
  const overS = (recoveries * measuredMs) / 1000;
  print(`CPU of agent and media host over ${overS} s of 720p30`, `${ours.cpuS.toFixed(2)} s`);
  print(`CPU of gst-launch-1.0 with the same elements over the same ${overS} s`, `${plain.cpuS.toFixed(2)} s`);
  const ratio = ours.cpuS / plain.cpuS;
  print('  ratio', ratio.toFixed(2), { words: `at most ${mostCpuRatio.toFixed(2)}`, isMet: ratio <= mostCpuRatio });
  const together = ours.togetherBytes;
  const memory = 'memory of agent and media host, each page once';
  if (together === null) sheet.leftOut(memory, 'because only root may look at it');
  else print(memory, megabytes(together), { words: `under ${megabytes(mostMemoryBytes)}`, isMet: together < mostMemoryBytes });
  print('  the peaks of their resident sets: Node counts twice', addends(ours.peakBytes));
  print('  their proportional shares (PSS)', addends(ours.proportionalBytes));
  print('  the peak of gst-launch-1.0, for comparison', addends(plain.peakBytes));
}

async function printAllKills(): Promise<void> {
  await printKills();
  await printDeaths(sheet, kills);
}

const parts = {
  load: printLoad,
  kills: printAllKills,
  outage: () => printOutage(sheet, outageMs),
  replug: () => printReplugs(sheet),
};
const wanted = process.argv.slice(2).filter((name): name is keyof typeof parts => name in parts);
for (const name of wanted.length > 0 ? wanted : (['load', 'kills', 'outage', 'replug'] as const)) await parts[name]();
process.exit(sheet.finish());
