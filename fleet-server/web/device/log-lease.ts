/** Whether the device sends its log at this moment, told from the newest command that asked for it. Pure. */
import { logBounds } from '#protocol/commands.ts';
import type { CommandStatus } from '#protocol/model/command.ts';

export type LogLease =
  | { readonly kind: 'none' }
  /** Asked for, and not answered yet. */
  | { readonly kind: 'asked' }
  | { readonly kind: 'open'; readonly untilMs: number }
  | { readonly kind: 'over'; readonly atMs: number }
  | { readonly kind: 'not-given'; readonly words: string };

/** An hour of it: a page that is left open for longer asks its reader. */
export const maxAsksAnOpening = 12;

/** Whether a page that shows the log asks for it by itself. */
export function shouldAsk(lease: LogLease, { isAway, asks }: { readonly isAway: boolean; readonly asks: number }): boolean {
  return !isAway && asks < maxAsksAnOpening && (lease.kind === 'none' || lease.kind === 'over');
}

export function logLease(commands: readonly CommandStatus[], nowMs: number): LogLease {
  const newest = commands.find(({ kind }) => kind === 'send-logs');
  if (newest === undefined) return { kind: 'none' };
  const { state, finishedAt, detail } = newest;
  if (finishedAt === null) return { kind: 'asked' };
  if (state !== 'done') return { kind: 'not-given', words: detail === '' ? 'The device did not send it.' : detail };
  const untilMs = Date.parse(finishedAt) + logBounds.leaseMs;
  return untilMs > nowMs ? { kind: 'open', untilMs } : { kind: 'over', atMs: untilMs };
}
