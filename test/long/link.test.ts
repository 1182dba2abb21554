/** The bitrate over real links: three network namespaces in a row, the middle one narrow. */
import { expect, it, onTestFinished } from 'vitest';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { ConstrainedLink, canMakeLinks } from '../device/media/constrained-link.ts';
import { type Arrival, FarSide, farName } from '../device/media/far-side.ts';
import { type SupervisedHost, startHost } from '../device/media/supervised-host.ts';
import { captureDescription, rtmpOutput, testPlan } from '../device/media/test-plan.ts';
import { badMinute, passages, passThrough, type Stage } from '../device/media/uplink-scenario.ts';
import { probeFile } from '../device/recording/probe.ts';
import { timeUntil, until } from '../until.ts';

const picture = { width: 320, height: 180 };
/** Noise takes every bit that the encoder may give. Groups of two seconds, as in the settings' defaults. */
const noise = captureDescription(picture).replace('is-live=true', 'is-live=true pattern=snow').replace('key-int-max=30', 'key-int-max=60');
const adaptive = { element: 'encoder', property: 'bitrate', unitsPerKbps: 1, minimumKbps: 400, maximumKbps: 2500 };

async function streamOver(link: ConstrainedLink): Promise<{ readonly host: SupervisedHost; readonly far: FarSide }> {
  const far = await FarSide.start(link);
  onTestFinished(() => far.stop());
  const host = await startHost(undefined, link.spawnHost);
  const plan: PipelinePlan = {
    ...testPlan({ picture, description: noise, bitrateKbps: 2500, outputs: [rtmpOutput('rtmp', far.target, farName)] }),
    adaptive,
  };
  await host.supervisor.apply(plan);
  await until('a stream', 15_000, () => host.outputOf('rtmp')?.kind === 'streaming');
  return { host, far };
}

function makeLink(): ConstrainedLink {
  const link = new ConstrainedLink();
  onTestFinished(() => link.remove());
  link.shape(3000);
  return link;
}

/** First to where the encoder has come down to its floor: what is under way when a link narrows cannot be called back. */
const worseThanTheFloor: readonly Stage[] = [
  { kind: 'rate', kbps: 600, lengthS: 10 },
  { kind: 'rate', kbps: 200, lengthS: 30 },
];

const oneBlow: readonly Stage[] = [
  { kind: 'rate', kbps: 3000, lengthS: 8 },
  { kind: 'rate', kbps: 200, lengthS: 20 },
];

/** Of those that are over. */
function groupSizes(arrivals: readonly Arrival[]): number[] {
  const sizes: number[] = [];
  for (const { isKeyframe } of arrivals) {
    if (isKeyframe) sizes.push(0);
    const last = sizes.length - 1;
    if (last >= 0) sizes[last] = (sizes[last] ?? 0) + 1;
  }
  return sizes.slice(0, -1);
}

const needed = canMakeLinks ? '' : ' (skipped: needs root and network namespaces)';

it.skipIf(!canMakeLinks)(
  `follows a link that narrows, widens and is cut, never five seconds behind${needed}`,
  async () => {
    const link = makeLink();
    const { host, far } = await streamOver(link);
    far.watch();
    await far.untilArrivals(30, 15_000);
    const times = await passThrough(link, badMinute, () => host.supervisor.status()?.adaptation?.bitrateKbps ?? 0);
    const [, narrow, wide, cut] = times;
    const bitrates = times.map(({ bitrateKbps }) => `${bitrateKbps[0]} ${Math.min(...bitrateKbps)} ${bitrateKbps.at(-1)}`);
    console.log(`bitrates at the beginning, least and at the end of each stage: ${bitrates.join(' | ')}`);
    const before = passages(far.arrivals.filter(({ atMs }) => atMs < (cut?.fromMs ?? 0)));
    const all = passages(far.arrivals);
    for (const [index, { lags, groups, gapsInGroups }] of all.entries()) {
      const worst = Math.max(...lags.map(({ lagMs }) => lagMs));
      console.log(
        `passage ${index + 1}: ${lags.length} pictures in ${groups} groups, ${gapsInGroups} torn, at most ${Math.round(worst)} ms behind`,
      );
    }
    expect(before).toHaveLength(1);
    expect(Math.max(...(before[0]?.lags ?? []).map(({ lagMs }) => lagMs))).toBeLessThan(5000);
    expect(before[0]?.gapsInGroups).toBe(0);
    expect(Math.min(...(narrow?.bitrateKbps ?? []))).toBeLessThan(600);
    // It tries a little more each few seconds, and never what it came from.
    expect(Math.max(...(narrow?.bitrateKbps.slice(-8) ?? []))).toBeLessThan(1250);
    expect(wide?.bitrateKbps.at(-1)).toBeGreaterThan(700);
    expect(host.supervisor.status()?.outputs[0]?.connections).toBe(2);
    const back = far.arrivals.find(({ atMs }) => atMs > (cut?.untilMs ?? 0));
    console.log(`after the cut the first picture arrived after ${Math.round((back?.atMs ?? 0) - (cut?.untilMs ?? 0))} ms`);
    expect((back?.atMs ?? Number.POSITIVE_INFINITY) - (cut?.untilMs ?? 0)).toBeLessThan(5000);
    const after = passages(far.arrivals.filter(({ atMs }) => atMs > (cut?.untilMs ?? 0)));
    expect(after).toHaveLength(1);
    expect(after[0]?.gapsInGroups).toBe(0);
    expect(Math.max(...(after[0]?.lags ?? []).map(({ lagMs }) => lagMs))).toBeLessThan(5000);
  },
  240_000,
);

it.skipIf(!canMakeLinks)(
  `leaves groups out on a link that is worse than the floor, never five seconds behind, over one connection${needed}`,
  async () => {
    const link = makeLink();
    const { host, far } = await streamOver(link);
    far.watch(true);
    await far.untilArrivals(30, 15_000);
    const [, worse] = await passThrough(link, worseThanTheFloor, () => host.supervisor.status()?.adaptation?.bitrateKbps ?? 0);
    await far.endWatching();
    const [passage, ...others] = passages(far.arrivals);
    const sizes = groupSizes(far.arrivals.filter(({ atMs }) => atMs > (worse?.fromMs ?? 0) + 6000));
    const worst = Math.max(...(passage?.lags ?? []).map(({ lagMs }) => lagMs));
    console.log(`200 kbit/s: groups of ${sizes.join(' ')} pictures, at most ${Math.round(worst)} ms behind`);
    expect(others).toEqual([]);
    expect(host.supervisor.status()?.outputs[0]).toMatchObject({ connections: 1, state: { kind: 'streaming' } });
    expect(worst).toBeLessThan(5000);
    expect(passage?.gapsInGroups).toBe(0);
    expect((await probeFile(far.seen)).complaints).toBe('');
  },
  120_000,
);

it.skipIf(!canMakeLinks)(
  `is not five seconds behind either where a link narrows to a fifteenth at one blow${needed}`,
  async () => {
    const link = makeLink();
    const { host, far } = await streamOver(link);
    far.watch();
    await far.untilArrivals(30, 15_000);
    await passThrough(link, oneBlow, () => host.supervisor.status()?.adaptation?.bitrateKbps ?? 0);
    await far.endWatching();
    const [passage, ...others] = passages(far.arrivals);
    const worst = Math.max(...(passage?.lags ?? []).map(({ lagMs }) => lagMs));
    console.log(`from 3000 to 200 kbit/s at one blow: at most ${Math.round(worst)} ms behind`);
    expect(others).toEqual([]);
    expect(passage?.gapsInGroups).toBe(0);
    expect(worst).toBeLessThan(5000);
  },
  120_000,
);

it.skipIf(!canMakeLinks)(
  `stops within a second on a dead network, and tries at once when its link comes back${needed}`,
  async () => {
    const link = makeLink();
    const { host, far } = await streamOver(link);
    link.cut();
    await until('the loss', 15_000, () => host.outputOf('rtmp')?.kind === 'waiting' || host.outputOf('rtmp')?.kind === 'connecting');
    const stopMs = await timeUntil('the end of the output', 5000, async () => {
      await host.supervisor.apply(testPlan({ picture, description: noise, bitrateKbps: 2500 }));
      return host.supervisor.status()?.outputs.length === 0;
    });
    expect(stopMs).toBeLessThan(1000);
    link.mend();
    link.pull();
    await host.supervisor.apply(
      testPlan({ picture, description: noise, bitrateKbps: 2500, outputs: [rtmpOutput('rtmp', far.target, farName)] }),
    );
    const waiting = await until('a long wait', 60_000, () => {
      const state = host.outputOf('rtmp');
      return state?.kind === 'waiting' && Date.parse(state.nextTryAt) - Date.now() > 1500 ? state : null;
    });
    link.plug();
    const backMs = await timeUntil('the stream', 10_000, () => host.outputOf('rtmp')?.kind === 'streaming');
    console.log(`stopped within ${stopMs} ms; ${waiting.lastError}; streaming ${backMs} ms after the link came back`);
    expect(backMs).toBeLessThan(4000);
  },
  120_000,
);
