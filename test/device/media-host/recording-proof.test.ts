/** A recording is never lost: not to a network, not to a death of the media host. Real captures, judged by ffprobe. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { timeUntil, until } from '../../until.ts';
import { startHost, stateDirectory } from '../media/supervised-host.ts';
import { testPlan } from '../media/test-plan.ts';
import { TestRelay } from '../media/test-relay.ts';
import { killAgainAndAgain, segmentNames } from '../recording/kill-rounds.ts';
import { type ProbedFile, probeFile } from '../recording/probe.ts';

const framesPerSecond = 30;
const nobody = 'rtmp://127.0.0.1:1/live';

async function probeAll(directory: string): Promise<readonly ProbedFile[]> {
  const files: ProbedFile[] = [];
  for (const name of await segmentNames(directory)) files.push(await probeFile(join(directory, name)));
  return files;
}

/** The encoder makes a keyframe of each thirtieth picture, whatever their times are on a busy machine. */
function expectEveryPicture({ groups, complaints }: Pick<ProbedFile, 'groups' | 'complaints'>): void {
  expect(groups.slice(0, -1).filter((pictures) => pictures !== framesPerSecond)).toEqual([]);
  expect(complaints).toBe('');
}

it('a network that is down for the whole event costs not one picture', { timeout: 60_000 }, async () => {
  const state = await stateDirectory();
  const host = await startHost(state);
  await host.supervisor.apply(testPlan({ target: nobody, recording: { segmentS: 4 } }));
  await until('four files', 30_000, () => (host.recording()?.connections ?? 0) === 4);
  expect(host.output?.kind).not.toBe('streaming');
  await host.supervisor.stop();
  const files = await probeAll(join(state, 'recordings'));
  expect(files.slice(0, 3).map(({ videoPackets }) => videoPackets)).toEqual([4, 4, 4].map((seconds) => seconds * framesPerSecond));
  for (const file of files) expectEveryPicture(file);
});

it('a relay that is gone for a while costs not one picture, and has the stream back within two seconds', { timeout: 60_000 }, async () => {
  const relay = await TestRelay.start();
  try {
    const state = await stateDirectory();
    const host = await startHost(state);
    await host.supervisor.apply(testPlan({ target: relay.target, recording: { segmentS: 600 } }));
    await host.untilStreaming();
    await until('a recording', 5_000, () => host.recording()?.state.kind === 'streaming');
    await relay.killNginx();
    await until('the loss', 5_000, () => host.output?.kind !== 'streaming');
    await delay(6_000);
    await relay.startNginx();
    const awayMs = await timeUntil('the stream at the relay', 10_000, () => relay.publisherId());
    await host.supervisor.stop();
    expect(awayMs).toBeLessThan(2_000);
    const [file] = await probeAll(join(state, 'recordings'));
    expect(file?.videoPackets).toBeGreaterThan(6 * framesPerSecond);
    if (file !== undefined) expectEveryPicture(file);
  } finally {
    await relay.stop();
  }
});

it('each death of the media host costs less than a second, and every file plays', { timeout: 90_000 }, async () => {
  const state = await stateDirectory();
  const host = await startHost(state);
  await host.supervisor.apply(testPlan({ target: nobody, recording: { segmentS: 600 } }));
  const pausesMs = Array.from({ length: 5 }, () => 300 + Math.random() * 2500);
  const deaths = await killAgainAndAgain(host.supervisor, join(state, 'recordings'), pausesMs);
  for (const death of deaths) {
    expect(death.frames).toBeGreaterThan(0);
    expectEveryPicture(death);
    expect(death.lostMs, JSON.stringify(deaths)).toBeLessThan(1000);
  }
});
