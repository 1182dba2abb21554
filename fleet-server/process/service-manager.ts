/**
 * What systemd is told of the fleet server (sd_notify(3)): ready, alive, stopping. By `systemd-notify`, a child: Node has no datagram socket
 * for the notify socket; the unit says NotifyAccess=all.
 *
 * INVARIANTS
 * - It is called alive by a timer of the loop that serves requests, and by nothing else: a loop that hangs says nothing. A database that is
 *   away is no reason: no restart would bring it back.
 * - The child's environment holds the socket and the path, nothing of ours.
 */
import { execFile } from 'node:child_process';
import type { Clock } from '#fleet-server/clock.ts';

export type ServiceManager = {
  /** One line for people, without secrets. */
  ready(status: string): void;
  /** Resolves when it has been said, or took too long. */
  stopping(): Promise<void>;
};

type Environment = { readonly [name: string]: string | undefined };

/** Less than the server may take for stopping. */
const notifyBoundMs = 2000;
/** sd_watchdog_enabled(3) advises half of the time; a third leaves room for one message that is lost. */
const feedsAPeriod = 3;

/** Null: no service manager has asked to be told. */
export function serviceManagerOf(environment: Environment, processId: number, clock: Clock): ServiceManager | null {
  const { NOTIFY_SOCKET: socket, PATH: path = '/usr/bin:/bin' } = environment;
  if (socket === undefined || socket === '') return null;
  const env = { NOTIFY_SOCKET: socket, PATH: path };
  // A message that cannot be handed over is not to be mended from here: the watchdog acts when all are lost.
  const say = (...words: string[]): Promise<void> =>
    new Promise((resolve) => execFile('systemd-notify', words, { env, timeout: notifyBoundMs }, () => resolve()));
  const watchdogMs = watchdogOf(environment, processId);
  let stopFeeding = (): void => {};
  return {
    ready: (status) => {
      void say('READY=1', `STATUS=${status}`);
      if (watchdogMs !== null) stopFeeding = clock.every(watchdogMs / feedsAPeriod, () => void say('WATCHDOG=1'));
    },
    stopping: () => {
      stopFeeding();
      return say('STOPPING=1');
    },
  };
}

/** sd_watchdog_enabled(3): meant for us only when WATCHDOG_PID is ours, or absent. */
function watchdogOf({ WATCHDOG_USEC, WATCHDOG_PID }: Environment, processId: number): number | null {
  const microseconds = Number(WATCHDOG_USEC ?? Number.NaN);
  if (!(microseconds > 0) || (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(processId))) return null;
  return microseconds / 1000;
}
