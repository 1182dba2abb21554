/** A state directory in memory: what a power cut would leave is what was written. */
import type { StateFile } from '#device/state/state-directory.ts';

export class MemoryState {
  readonly files = new Map<string, string>();
  writes = 0;
  failure: Error | null = null;

  async read<T>(file: StateFile<T>): Promise<T | null> {
    const value: unknown = JSON.parse(this.files.get(file.name) ?? 'null');
    return file.check(value) ? value : null;
  }

  async write<T>(file: StateFile<T>, value: T): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.writes += 1;
    this.files.set(file.name, JSON.stringify(value));
  }

  async reserve(): Promise<void> {}

  async remove(file: StateFile<unknown>): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.files.delete(file.name);
  }
}
