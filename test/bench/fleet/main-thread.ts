/**
 * Loaded into the server before its own program: what its one thread for everything does, and how long it lets others wait. Told by SIGUSR2,
 * it says so to its parent and begins anew.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

export type MainThread = {
  readonly kind: 'main-thread';
  readonly cpuS: number;
  /** Of the waits of a timer of 10 ms beyond its time. */
  readonly waitP99Ms: number;
  readonly longestWaitMs: number;
  /** The most that it worked without a look at its timers: unlike a wait, the same however busy the machine is. */
  readonly longestWorkMs: number;
};

const resolutionMs = 10;

if (isMainThread) {
  const waits = monitorEventLoopDelay({ resolution: resolutionMs });
  waits.enable();
  let before = process.threadCpuUsage();
  let [lookedAtMs, longestWorkMs] = [0, 0];
  const look = () => {
    const { user, system } = process.threadCpuUsage();
    const nowMs = (user + system) / 1000;
    longestWorkMs = Math.max(longestWorkMs, nowMs - lookedAtMs);
    lookedAtMs = nowMs;
  };
  look();
  longestWorkMs = 0;
  setInterval(look, resolutionMs).unref();
  process.on('SIGUSR2', () => {
    look();
    const { user, system } = process.threadCpuUsage(before);
    const ms = (nanoseconds: number) => nanoseconds / 1e6 - resolutionMs;
    const figures: MainThread = {
      kind: 'main-thread',
      cpuS: (user + system) / 1e6,
      waitP99Ms: ms(waits.percentile(99)),
      longestWaitMs: Math.max(0, ms(waits.max)),
      longestWorkMs,
    };
    process.send?.(figures);
    before = process.threadCpuUsage();
    waits.reset();
    longestWorkMs = 0;
  });
}
