/** Files that are on the disk when the call is back. */
import { closeSync, copyFileSync, fchmodSync, fsyncSync, openSync, writeSync } from 'node:fs';

/** Readable by the owner alone. Fails when it is there already. */
export function writeDurably(path: string, content: string): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    writeSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export function copyDurably(from: string, to: string): void {
  copyFileSync(from, to);
  flush(to, 0o600);
}

/** Of a directory: its names. */
export function flush(path: string, mode?: number): void {
  const descriptor = openSync(path, 'r');
  try {
    if (mode !== undefined) fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
