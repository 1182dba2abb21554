/**
 * Which of the recordings that were left behind is brought home next: the oldest that fits. One that cannot be brought is tried again ever more
 * rarely, and holds up no other.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '#device/logging.ts';
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';
import { bringOneHome, type Home, hasRoomFor } from '#device/recording/bring-home.ts';
import { hashFile } from '#device/recording/convert.ts';
import { type FoundFile, readRecordingDirectory } from '#device/recording/recording-directory.ts';
import type { Original, Recording } from '#device/recording/recording-index.ts';
import { compareNames, startOfRecording } from '#device/recording/segment-name.ts';
import { errorText } from '#device/state/state-directory.ts';

const tryAgainPolicy: BackOffPolicy = { firstMs: 60_000, factor: 2, capMs: 3_600_000, jitter: 0 };

type Failure = { readonly tries: number; readonly againAtMs: number; readonly problem: string };

export type HomecomingOptions = {
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  readonly signal: AbortSignal;
  readonly record: (kind: string, detail: string) => void;
};

export class Homecoming {
  readonly #options: HomecomingOptions;
  /** By file name. */
  #failures: ReadonlyMap<string, Failure> = new Map();

  constructor(options: HomecomingOptions) {
    this.#options = options;
  }

  /** Home is another disk, or the same one once more: what failed before says nothing of it. */
  beginAnew(): void {
    this.#failures = new Map();
  }

  /** Whole files that nobody writes (`writing`: the one that the media host names) and that may be tried now, the oldest first. */
  async toBring(from: string, writing: string | null): Promise<readonly FoundFile[]> {
    const files = (await readRecordingDirectory(from))?.files ?? [];
    const names = new Set(files.map(fileNameOf));
    this.#failures = new Map([...this.#failures].filter(([fileName]) => names.has(fileName)));
    const nowMs = this.#options.clock.monotonicMs();
    return files
      .filter((file) => fileNameOf(file) !== writing && (this.#failures.get(fileNameOf(file))?.againAtMs ?? nowMs) <= nowMs)
      .toSorted((one, other) => compareNames(one.name, other.name));
  }

  /** Of those the ones that need room at home. */
  async arrivals(from: string, recordings: readonly Recording[], writing: string | null): Promise<readonly FoundFile[]> {
    return (await this.toBring(from, writing)).filter((file) => !mayBeHome(file, recordings));
  }

  /** Nothing else works in either place meanwhile. Never rejects. */
  async bringNext(from: string, home: Home, writing: string | null): Promise<void> {
    const files = await this.toBring(from, writing);
    const file = files.find((candidate) => mayBeHome(candidate, home.recordings) || hasRoomFor(candidate, home.disk));
    if (file === undefined) return;
    try {
      await removeLeftovers(from);
      const brought = await bringOneHome(from, file, home, this.#options.signal);
      if (brought !== null) this.#options.record('recording-brought', `${brought.name}: from the device to the disk that was away`);
    } catch (cause) {
      if (!this.#options.signal.aborted) this.#noteFailure(file, errorText(cause));
    }
  }

  /** A disk that refuses refuses all: the history has it once. */
  #noteFailure(file: FoundFile, problem: string): void {
    const { clock, log, record } = this.#options;
    const fileName = fileNameOf(file);
    const isNew = [...this.#failures.values()].every((failure) => failure.problem !== problem);
    const tries = (this.#failures.get(fileName)?.tries ?? 0) + 1;
    const againAtMs = clock.monotonicMs() + backOffDelay(tryAgainPolicy, tries, 0);
    this.#failures = new Map(this.#failures).set(fileName, { tries, againAtMs, problem });
    log.warn(`recording ${file.name} cannot be brought to its disk (attempt ${tries}): ${problem}`);
    if (isNew) record('recording-not-brought', `${file.name} stays on the device: ${problem}`.slice(0, 500));
  }
}

/** As far as can be told without reading it: of the same second and as large as one at home, or as that was when it came. */
function mayBeHome({ name, bytes }: FoundFile, recordings: readonly Recording[]): boolean {
  const startedAtMs = startOfRecording(name);
  return recordings.some(
    (recording) => startOfRecording(recording.name) === startedAtMs && (recording.original ?? recording).bytes === bytes,
  );
}

/**
 * What a recording at home that nobody has worked on is a copy of, where that still lies on the device: the power failed before it was deleted
 * there, or it cannot be. Once the copy is mended and converted nobody can see that any more. Null: of nothing.
 */
export async function findOriginal(from: string, home: string, copy: Recording, signal: AbortSignal): Promise<Original | null> {
  if (copy.state !== 'written' || copy.format !== 'flv' || copy.original !== undefined) return null;
  const left = (await readRecordingDirectory(from))?.files ?? [];
  const alike = left.filter((file) => file.format === copy.format && mayBeHome(file, [copy]));
  if (alike.length === 0) return null;
  const sha256 = await hashFile(home, fileNameOf(copy), signal);
  for (const file of alike) {
    if (sha256 !== null && (await hashFile(from, fileNameOf(file), signal)) === sha256) return { bytes: file.bytes, sha256 };
  }
  return null;
}

/** Of conversions and of copies that were not finished. */
async function removeLeftovers(directory: string): Promise<void> {
  const leftovers = (await readRecordingDirectory(directory))?.leftovers ?? [];
  for (const name of leftovers) await rm(join(directory, name), { force: true });
}

function fileNameOf({ name, format }: Pick<FoundFile, 'name' | 'format'>): string {
  return `${name}.${format}`;
}
