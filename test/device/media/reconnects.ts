/** Connection after connection by one media host, and what they leave behind. */
import { readdirSync, readFileSync } from 'node:fs';
import type { MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import type { OutputPlan } from '#device/plan/pipeline-plan.ts';
import { until } from '../../until.ts';
import { testPlan } from './test-plan.ts';

export type Footprint = { readonly rssBytes: number; readonly descriptors: number; readonly threads: number };

export function footprintOf(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { rssBytes: number('VmRSS') * 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length, threads: number('Threads') };
}

/** Each time another output takes the place of the former one and is waited for. */
export async function reconnect(supervisor: MediaHostSupervisor, times: number, outputAt: (time: number) => OutputPlan): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const output = outputAt(time);
    await supervisor.apply(testPlan({ outputs: [output] }));
    await until(`connection ${time}`, 15_000, () => {
      const [status] = supervisor.status()?.outputs ?? [];
      return status?.id === output.id && status.target === output.target && status.state.kind === 'streaming';
    });
  }
}
