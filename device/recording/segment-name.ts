/** What the files of a recording are called: after the moment at which they begin, in UTC, so that names sort as time does. Pure. */

/** `2026-11-21T10-00-00Z`, and `-2`, `-3` ... for further ones of the same second (a clock that was set back has some seconds twice). */
const namePattern = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z(?:-(\d{1,3}))?$/;
export const maximumNamesakes = 100;

export type RecordingFile = { readonly name: string; readonly format: 'flv' | 'mp4' };

export function recordingName(startedAtMs: number, namesake = 1): string {
  const second = new Date(startedAtMs).toISOString().slice(0, 19).replaceAll(':', '-');
  return `${second}Z${namesake === 1 ? '' : `-${namesake}`}`;
}

/** Null for what is no file of a recording. */
export function parseRecordingFile(fileName: string): RecordingFile | null {
  const dot = fileName.lastIndexOf('.');
  const name = fileName.slice(0, Math.max(0, dot));
  const format = fileName.slice(dot + 1);
  if ((format !== 'flv' && format !== 'mp4') || startOfRecording(name) === null) return null;
  return { name, format };
}

/** Milliseconds since 1970; null for what is no such name. */
export function startOfRecording(name: string): number | null {
  const [, day, hours, minutes, seconds] = namePattern.exec(name) ?? [];
  const startedAtMs = Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`);
  return Number.isNaN(startedAtMs) ? null : startedAtMs;
}

/** The order of names: by second, then by the number behind it (`-10` comes after `-9`). */
export function compareNames(one: string, other: string): number {
  const difference = (startOfRecording(one) ?? 0) - (startOfRecording(other) ?? 0);
  return difference === 0 ? namesakeOf(one) - namesakeOf(other) : difference;
}

function namesakeOf(name: string): number {
  return Number(namePattern.exec(name)?.[5] ?? 1);
}
