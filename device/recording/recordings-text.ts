/** The list of recordings for a terminal. Pure. */
import { type Recording, totalBytes } from '#device/recording/recording-index.ts';

const stateWords: Readonly<Record<Recording['state'], string>> = {
  recording: 'is being written',
  written: 'not looked through yet',
  waiting: 'to be converted',
  ready: 'ready',
  unconvertible: 'stays as FLV',
};

export function recordingsText(recordings: readonly Recording[], freeBytes: number): string {
  if (recordings.length === 0) return `no recordings; ${gigabytes(freeBytes)} free\n`;
  const rows = recordings.map((recording) => [
    `${recording.name}.${recording.format}`,
    recording.durationMs === null ? '?' : duration(recording.durationMs),
    `${(recording.bytes / 1e6).toFixed(1)} MB`,
    recording.isProtected ? 'protected' : '',
    [
      recording.problem === null ? stateWords[recording.state] : `${stateWords[recording.state]}: ${recording.problem}`,
      ...(recording.mendedBytes === undefined ? [] : [`mended: ${recording.mendedBytes} bytes that cannot be played left out`]),
    ].join('; '),
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 1 || column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const total = `${recordings.length} recordings, ${gigabytes(totalBytes(recordings))}; ${gigabytes(freeBytes)} free`;
  return `${[...lines, total].join('\n')}\n`;
}

function duration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
