/** A supervisor over a real media host in a directory of its own, ended with the test. */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '#device/media/clock.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import { type MediaEvent, MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import type { OutputState, OutputStatus } from '#protocol/media.ts';
import { endProcessesWith } from '../../processes.ts';
import { until } from '../../until.ts';

export class SupervisedHost {
  readonly supervisor: MediaHostSupervisor;
  readonly events: MediaEvent[] = [];
  readonly previews: Buffer[] = [];
  readonly lines: string[] = [];

  constructor(stateDirectory: string, spawn?: (stateDirectory: string) => ChildProcess) {
    const say = (line: string): void => {
      this.lines.push(line);
    };
    this.supervisor = new MediaHostSupervisor({
      stateDirectory,
      clock: systemClock,
      log: { info: say, warn: say },
      ...(spawn && { spawnHost: spawn }),
    });
    this.supervisor.onEvent((event) => this.events.push(event));
    this.supervisor.onPreview((jpeg) => this.previews.push(jpeg));
  }

  get output(): OutputState | undefined {
    return this.supervisor.status()?.outputs[0]?.state;
  }

  outputOf(id: string): OutputState | undefined {
    return this.supervisor.status()?.outputs.find((output) => output.id === id)?.state;
  }

  recording(): OutputStatus | undefined {
    return this.supervisor.status()?.outputs.find(({ kind }) => kind === 'recording');
  }

  status(): MediaStatus {
    const status = this.supervisor.status();
    if (status === null) throw new Error('expected a connected media host');
    return status;
  }

  untilStreaming(boundMs = 10_000): Promise<unknown> {
    return until('a stream', boundMs, () => this.output?.kind === 'streaming');
  }
}

export async function stateDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'media-'));
  onTestFinished(async () => {
    endProcessesWith(path, 'SIGKILL');
    await rm(path, { recursive: true, force: true, maxRetries: 5 });
  });
  return path;
}

export async function startHost(directory?: string, spawn?: (stateDirectory: string) => ChildProcess): Promise<SupervisedHost> {
  const host = new SupervisedHost(directory ?? (await stateDirectory()), spawn);
  onTestFinished(() => host.supervisor.stop());
  await host.supervisor.start();
  return host;
}
