/** What people do to all devices at once: how long each answer takes, and how long others wait for the server's one thread meanwhile. */
import { timeUntil, until } from '../../until.ts';
import type { FleetApi } from './fleet-api.ts';
import type { MainThread } from './main-thread.ts';

export type WholeFleetOptions = {
  readonly api: FleetApi;
  /** Those that are there. */
  readonly connectedCount: number;
  /** Of the server, since it was asked the last time. */
  mainThread(): Promise<MainThread>;
  /** How many reports of new settings the server has taken. */
  reportedCount(): number;
  print(what: string, figure: string, aim?: string): void;
};

const boundMs = 120_000;

export async function measureWholeFleet({ api, connectedCount, mainThread, reportedCount, print }: WholeFleetOptions): Promise<void> {
  const printStretch = ({ cpuS, longestWorkMs, longestWaitMs }: MainThread) => {
    print('  work of the server’s main thread meanwhile', milliseconds(cpuS * 1000));
    print('  longest stretch of it', milliseconds(longestWorkMs), 'under 100 ms');
    print('  longest wait for that thread', milliseconds(longestWaitMs), 'on an idle machine the same');
  };
  const measure = async (what: string, act: () => Promise<unknown>) => {
    const before = reportedCount();
    await mainThread();
    const begin = performance.now();
    await act();
    print(`${what}: answered after`, milliseconds(performance.now() - begin));
    printStretch(await mainThread());
    return () => reportedCount() - before >= connectedCount;
  };
  const untilAll = async (haveIt: () => boolean) => {
    print('  then, until all that are there have it', milliseconds(await timeUntil('all with the new settings', boundMs, haveIt)));
    printStretch(await mainThread());
  };

  await untilAll(await measure('a setting of the fleet', () => api.patchFleet({ AV_VIDEO_BITRATE: 1800 })));
  await api.patchGroup('hall', { AV_VIDEO_FRAMERATE: 25 });
  await untilAll(await measure('all devices to a group', () => api.moveAll('hall')));

  const plan = { kind: 'waves', canary: 20, shares: [50, 100], soakS: 5, failureThresholdPercent: 10 };
  let id = '';
  await measure('a roll-out in three waves', async () => {
    id = (await api.beginRollout({ scope: { kind: 'fleet' }, patch: { AV_KEYFRAME_INTERVAL: 3 }, plan })).id;
  });
  const begin = performance.now();
  await until('the last wave', boundMs, async () => (await api.newestRollout()).state === 'completed', 500);
  const elapsedMs = performance.now() - begin;
  print('  then, until it is over', milliseconds(elapsedMs));
  const looked = await mainThread();
  printStretch(looked);
  print('  share of one core of that thread', `${((looked.cpuS / elapsedMs) * 100_000).toFixed(1)} %`);
  await measure('a roll-out, looked at', () => api.rollout(id));
  await untilAll(await measure('a roll-out, rolled back', () => api.rollBack(id)));
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}
