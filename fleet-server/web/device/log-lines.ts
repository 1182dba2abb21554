/** Lines of a device's log, as they come and as they are shown. Pure. */
import type { DeviceLog } from '#protocol/model/log.ts';

/** As many as the fleet server keeps. */
export const maxLogLines = 2000;

/** What was read until now, and what came after it. The server's numbers begin anew with each life of the server. */
export function withNewLines(before: DeviceLog | undefined, answer: DeviceLog): DeviceLog {
  const isAnew = before === undefined || answer.next < before.next || (answer.lines[0]?.number ?? before.next + 1) <= before.next;
  const lines = isAnew ? answer.lines : [...before.lines, ...answer.lines];
  return { lines: once(lines).slice(-maxLogLines), next: answer.next };
}

/** A device that is asked again begins with lines that it has sent before; each has its time in it. */
function once(lines: DeviceLog['lines']): DeviceLog['lines'] {
  return [...new Map(lines.toReversed().map((line) => [line.text, line])).values()].toReversed();
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogEntry = {
  readonly number: number;
  readonly level: LogLevel;
  /** Null where the line does not say. */
  readonly at: string | null;
  readonly message: string;
};

/** A line is one JSON text; what is none is shown as it stands. */
export function logEntry({ number, text }: DeviceLog['lines'][number]): LogEntry {
  const fields = objectOf(text);
  const { level, time, msg, ...others } = fields ?? {};
  if (typeof msg !== 'string') return { number, level: 'info', at: null, message: text };
  const more = Object.keys(others).length === 0 ? '' : ` ${JSON.stringify(others)}`;
  return {
    number,
    level: logLevels.find((known) => known === level) ?? (level === 'fatal' ? 'error' : 'info'),
    at: typeof time === 'string' && !Number.isNaN(Date.parse(time)) ? time : null,
    message: `${msg}${more}`,
  };
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function isShown({ level, message }: LogEntry, least: LogLevel, search: string): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(least) && message.toLowerCase().includes(search.trim().toLowerCase());
}

/** A name that every system takes. */
export function logFileName(deviceName: string, nowMs: number): string {
  const name = deviceName.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return `${name === '' ? 'device' : name}-log-${new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z.txt`;
}
