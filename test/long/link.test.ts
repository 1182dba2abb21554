/** The bitrate over real links: three network namespaces in a row, the middle one narrow. */
import { expect, it, onTestFinished } from 'vitest';
import type { PipelinePlan } from '#device/plan/pipeline-plan.ts';
import { ConstrainedLink, canMakeLinks } from '../device/media/constrained-link.ts';
import { FarSide, farName } from '../device/media/far-side.ts';
import { type SupervisedHost, startHost } from '../device/media/supervised-host.ts';
import { captureDescription, rtmpOutput, testPlan } from '../device/media/test-plan.ts';
import { badMinute, passages, passThrough } from '../device/media/uplink-scenario.ts';
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
    expect(narrow?.bitrateKbps.at(-1)).toBeLessThan(600);
    expect(wide?.bitrateKbps.at(-1)).toBeGreaterThan(700);
    expect(host.supervisor.status()?.outputs[0]?.connections).toBe(2);
    const back = far.arrivals.find(({ atMs }) => atMs > (cut?.untilMs ?? 0));
    console.log(`after the cut the first picture arrived after ${Math.round((back?.atMs ?? 0) - (cut?.untilMs ?? 0))} ms`);
    expect(back).toBeDefined();
  },
  240_000,
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
