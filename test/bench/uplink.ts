/** Prints how outputs fare over bad networks, and what hundreds of connections leave behind. The link needs root. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#device/media/clock.ts';
import { MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import type { OutputPlan } from '#device/plan/pipeline-plan.ts';
import { ConstrainedLink, canMakeLinks } from '../device/media/constrained-link.ts';
import { FarSide, farName } from '../device/media/far-side.ts';
import { IcecastServer } from '../device/media/icecast-server.ts';
import { footprintOf, reconnect } from '../device/media/reconnects.ts';
import { captureDescription, rtmpOutput, testPlan } from '../device/media/test-plan.ts';
import { TestRelay } from '../device/media/test-relay.ts';
import { badHour, passages, passThrough } from '../device/media/uplink-scenario.ts';
import { timeUntil, until } from '../until.ts';

const reconnects = 200;
const awayMs = 60_000;
const quiet = { info: () => undefined, warn: () => undefined };

function print(what: string, figure: string, aim = ''): void {
  process.stdout.write(`${what.padEnd(62)} ${figure.padStart(16)}   ${aim}\n`);
}

async function withHost(use: (supervisor: MediaHostSupervisor) => Promise<void>, link?: ConstrainedLink): Promise<void> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'uplink-bench-'));
  const supervisor = new MediaHostSupervisor({
    stateDirectory,
    clock: systemClock,
    log: quiet,
    ...(link && { spawnHost: link.spawnHost }),
  });
  try {
    await supervisor.start();
    await use(supervisor);
  } finally {
    await supervisor.stop();
    await rm(stateDirectory, { recursive: true, force: true });
  }
}

const isStreaming = (supervisor: MediaHostSupervisor) => supervisor.status()?.outputs[0]?.state.kind === 'streaming';

async function printBadHour(): Promise<void> {
  const link = new ConstrainedLink();
  link.shape(3000);
  const far = await FarSide.start(link);
  const picture = { width: 320, height: 180 };
  const description = captureDescription(picture)
    .replace('is-live=true', 'is-live=true pattern=snow')
    .replace('key-int-max=30', 'key-int-max=60');
  const adaptive = { element: 'encoder', property: 'bitrate', unitsPerKbps: 1, minimumKbps: 400, maximumKbps: 2500 };
  await withHost(async (supervisor) => {
    const outputs = [rtmpOutput('rtmp', far.target, farName)];
    await supervisor.apply({ ...testPlan({ picture, description, bitrateKbps: 2500, outputs }), adaptive });
    await until('a stream', 15_000, () => isStreaming(supervisor));
    far.watch();
    await far.untilArrivals(30, 15_000);
    const times = await passThrough(link, badHour, () => supervisor.status()?.adaptation?.bitrateKbps ?? 0);
    for (const { stage, bitrateKbps } of times) {
      const name = stage.kind === 'cut' ? `cut for ${stage.lengthS} s` : `${stage.kbps} kbit/s for ${stage.lengthS} s`;
      print(`${name}: bitrate least and at the end`, `${Math.min(...bitrateKbps)}, ${bitrateKbps.at(-1)} kbit/s`);
    }
    const cut = times.find(({ stage }) => stage.kind === 'cut');
    for (const { lags, groups, gapsInGroups } of passages(far.arrivals)) {
      for (const { stage, fromMs, untilMs } of times) {
        const seen = lags.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs).map(({ lagMs }) => lagMs);
        if (seen.length > 0)
          print(`  behind at ${stage.kind === 'cut' ? 'the cut' : `${stage.kbps} kbit/s`}: at most`, `${Math.round(Math.max(...seen))} ms`);
      }
      print(
        `a connection of ${lags.length} pictures: most behind`,
        `${Math.round(Math.max(...lags.map(({ lagMs }) => lagMs)))} ms`,
        'aim: under 5000',
      );
      print('  torn groups', `${gapsInGroups} of ${groups}`, 'aim: 0');
    }
    const back = far.arrivals.find(({ atMs }) => atMs > (cut?.untilMs ?? 0));
    print('  the first picture after the cut', `${Math.round((back?.atMs ?? Number.NaN) - (cut?.untilMs ?? 0))} ms`);
    print('  connections', String(supervisor.status()?.outputs[0]?.connections), 'aim: 2');
  }, link);
  await far.stop();
  link.remove();
}

async function printReturn(relay: TestRelay): Promise<void> {
  await withHost(async (supervisor) => {
    await supervisor.apply(testPlan({ target: relay.target }));
    await until('a stream', 15_000, () => isStreaming(supervisor));
    await relay.killNginx();
    await delay(awayMs);
    await relay.startNginx();
    const backMs = await timeUntil('the stream', 15_000, () => isStreaming(supervisor));
    print(`server away for ${awayMs / 1000} s: streaming after its return`, `${backMs} ms`, 'aim: under 2000');
  });
}

async function printReconnects(kind: string, outputAt: (time: number) => OutputPlan): Promise<void> {
  await withHost(async (supervisor) => {
    await reconnect(supervisor, 20, outputAt);
    const before = footprintOf(supervisor.processId() ?? 0);
    await reconnect(supervisor, reconnects, outputAt);
    const after = footprintOf(supervisor.processId() ?? 0);
    print(`${reconnects} connections, ${kind}: memory more`, `${((after.rssBytes - before.rssBytes) / 1e6).toFixed(1)} MB`, 'aim: about 0');
    print('  descriptors, threads: before', `${before.descriptors}, ${before.threads}`);
    print('  after', `${after.descriptors}, ${after.threads}`);
  });
}

if (canMakeLinks) await printBadHour();
else print('over a narrow link', 'skipped', 'needs root and network namespaces');
const relay = await TestRelay.start();
await printReturn(relay);
await printReconnects('rtmp', (time) => ({ ...rtmpOutput('rtmp', relay.target, `n${time % 7}`), target: `rtmp://relay/${time}` }));
await relay.stop();
const radio = await IcecastServer.start();
await printReconnects('icecast', (time) => ({
  ...{ id: 'icecast', kind: 'icecast', target: `icecast://radio/${time}` },
  location: radio.address(`n${time % 9}.ogg`),
}));
await radio.stop();
process.exit(0);
