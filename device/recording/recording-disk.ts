/**
 * Notices that the disk of AV_RECORD_DIR cannot be used.
 * - It is away: the directory lay on a disk of its own before, and is now on the device's, or nowhere. What is recorded there now would
 *   fill the device's card, and be out of sight once the disk is mounted over it.
 * - It refuses: it is mounted, and does not take what is written (it gives errors, or is read-only). It is tried again, ever more rarely.
 */
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Static, Type } from 'typebox';
import type { Log } from '#device/logging.ts';
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import type { Clock } from '#device/media/clock.ts';
import { KeptValue } from '#device/state/kept-value.ts';
import { errorText, type StateDirectory, stateFile } from '#device/state/state-directory.ts';

export const diskLookIntervalMs = 5000;
/** The first picture does not wait longer for a disk that does not answer. */
const firstLookBoundMs = 2000;
/** So long a recording may fail: what comes meanwhile waits in the media host's memory, and is lost when it goes elsewhere. */
const failingBoundMs = 5000;
/** A disk that gives errors takes the beginning of each next file: only one that was well for longer than that does not fail any more. */
const wellAfterMs = 10_000;
const tryAgainPolicy: BackOffPolicy = { firstMs: 60_000, factor: 2, capMs: 3_600_000, jitter: 0 };
/** A disk that was well for so long begins anew. */
const provenAfterMs = 3_600_000;
/** Directories that were seen on a disk of their own; the oldest are forgotten. */
const maximumKnown = 16;
const KnownDirectories = Type.Object({ directories: Type.Array(Type.String({ maxLength: 512 }), { maxItems: maximumKnown }) });
type KnownDirectories = Static<typeof KnownDirectories>;
const file = stateFile('recording-disks.json', KnownDirectories, { reservedBytes: 16 * 1024 });

/** The number of its file system, which is right until the next boot; null: there is no such path. */
export type DeviceOf = (path: string) => Promise<number | null>;

/** Whether a directory takes a file and keeps it. Never rejects. */
export type TakesFiles = (directory: string) => Promise<boolean>;

/** `tries`: how often it was found to refuse. */
type Refusal = { readonly directory: string; readonly sinceMs: number; readonly tryAgainAtMs: number; readonly tries: number };

export type RecordingDiskOptions = {
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  readonly state: Pick<StateDirectory, 'path' | 'read' | 'write' | 'remove' | 'reserve'>;
  /** AV_RECORD_DIR; empty: recordings lie in the state directory. */
  readonly directory: () => string;
  /** `isAway` may say something else from now on. */
  readonly onChange: () => void;
  /** For the history: a disk refuses, and why. */
  readonly onRefusal: (reason: string) => void;
  readonly deviceOf?: DeviceOf;
  readonly takesFiles?: TakesFiles;
};

export class RecordingDisk {
  readonly #options: RecordingDiskOptions;
  readonly #kept: KeptValue<KnownDirectories>;
  #known: readonly string[] = [];
  /** What was on a disk of its own at the last look. */
  #there = '';
  /** What was on the disk of the state directory then. */
  #withState = '';
  #failing: { readonly sinceMs: number; readonly lastMs: number } | null = null;
  #refusal: Refusal | null = null;
  /** Of the disk that takes files again. */
  #formerRefusal: Refusal | null = null;
  #looking: Promise<void> | null = null;
  #cancel: () => void = () => undefined;
  #isRunning = false;

  constructor(options: RecordingDiskOptions) {
    const { state, clock, log } = options;
    this.#options = options;
    const onDiskError = (cause: unknown) => log.warn(`cannot note which directories are on a disk of their own (${errorText(cause)})`);
    this.#kept = new KeptValue({ file, state, clock, onDiskError });
  }

  /** Resolves when it has looked for the first time, or the disk takes too long for that. */
  async start(): Promise<void> {
    this.#isRunning = true;
    this.#known = (await this.#kept.load())?.directories ?? [];
    let cancel: () => void = () => undefined;
    const bound = new Promise<void>((resolve) => {
      cancel = this.#options.clock.schedule(resolve, firstLookBoundMs);
    });
    await Promise.race([this.look(), bound]);
    cancel();
    this.#schedule();
  }

  /** What the disk refused is written once more. May be called twice. */
  stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancel();
    return this.#kept.stop();
  }

  /** One that was on a disk of its own and has not been looked at is away until it has been. */
  isAway(directory: string): boolean {
    return this.#known.includes(directory) && (directory !== this.#there || this.#refusal !== null);
  }

  /** Recordings and the device's own files share one disk, as far as is known. */
  isWithState(directory: string): boolean {
    return directory === '' || directory === this.#withState;
  }

  /** What the media host says of the recording: why it fails at present; null: it does not. */
  noteFault(reason: string | null): void {
    const directory = this.#options.directory();
    if (directory === '' || this.#there !== directory || this.#refusal !== null) this.#failing = null;
    else if (reason !== null) this.#noteFailing(directory, reason);
  }

  #noteFailing(directory: string, reason: string): void {
    const nowMs = this.#options.clock.monotonicMs();
    const before = this.#failing;
    const sinceMs = before === null || nowMs - before.lastMs > wellAfterMs ? nowMs : before.sinceMs;
    this.#failing = { sinceMs, lastMs: nowMs };
    if (nowMs - sinceMs < failingBoundMs) return;
    this.#failing = null;
    const former = this.#formerRefusal;
    const isAgain = former?.directory === directory && nowMs - former.tryAgainAtMs < provenAfterMs;
    this.#refuse(directory, isAgain ? former.tries + 1 : 1);
    this.#options.onRefusal(reason);
    this.#options.onChange();
  }

  /** A disk that does not answer holds up nothing but the next look. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  #schedule(): void {
    if (!this.#isRunning) return;
    this.#cancel = this.#options.clock.schedule(() => {
      void this.look();
      this.#schedule();
    }, diskLookIntervalMs);
  }

  async #look(): Promise<void> {
    const directory = this.#options.directory();
    if (directory === '') return;
    const wasAway = this.isAway(directory);
    const { deviceOf = statDevice, state } = this.#options;
    const disk = await diskOf(directory, state.path, deviceOf);
    this.#there = disk === 'its-own' ? directory : '';
    this.#withState = disk === 'of-state' ? directory : '';
    await this.#tryAgain(directory);
    if (this.#there !== '' && !this.#known.includes(directory)) await this.#learn(directory);
    if (wasAway !== this.isAway(directory)) this.#options.onChange();
  }

  async #tryAgain(directory: string): Promise<void> {
    const refusal = this.#refusal;
    if (refusal === null) return;
    const { clock, takesFiles = writeAndRemove } = this.#options;
    const isAnother = refusal.directory !== directory || this.#there !== directory;
    if (!isAnother && clock.monotonicMs() < refusal.tryAgainAtMs) return;
    if (isAnother || (await takesFiles(directory))) {
      this.#refusal = null;
      // One that was taken out may come back mended, or be another one.
      this.#formerRefusal = isAnother ? null : refusal;
    } else this.#refuse(directory, refusal.tries + 1);
  }

  #refuse(directory: string, tries: number): void {
    const sinceMs = this.#options.clock.monotonicMs();
    this.#refusal = { directory, sinceMs, tryAgainAtMs: sinceMs + backOffDelay(tryAgainPolicy, tries, 0), tries };
  }

  async #learn(directory: string): Promise<void> {
    this.#known = [...this.#known, directory].slice(-maximumKnown);
    await this.#kept.keep({ directories: [...this.#known] });
  }
}

/** For whoever asks beside the agent, or without one. */
export async function isDiskAway(
  directory: string,
  state: Pick<StateDirectory, 'path' | 'read'>,
  deviceOf: DeviceOf = statDevice,
): Promise<boolean> {
  const known = (await state.read(file))?.directories ?? [];
  return known.includes(directory) && (await diskOf(directory, state.path, deviceOf)) !== 'its-own';
}

/** The media host makes the directory itself, and none above it. A disk that gives errors at being looked at is away. */
async function diskOf(directory: string, statePath: string, deviceOf: DeviceOf): Promise<'its-own' | 'of-state' | 'another'> {
  try {
    const [own, root, its] = await Promise.all([
      deviceOf(statePath),
      deviceOf('/'),
      deviceOf(directory).then((device) => device ?? deviceOf(dirname(directory))),
    ]);
    if (its === null) return 'another';
    if (its === own) return 'of-state';
    return its === root ? 'another' : 'its-own';
  } catch {
    return 'another';
  }
}

async function statDevice(path: string): Promise<number | null> {
  try {
    return (await stat(path)).dev;
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(errorText(cause))) return null;
    throw cause;
  }
}

const triedBytes = 64 * 1024;

/** Through to the disk: what the kernel only remembers proves nothing. */
async function writeAndRemove(directory: string): Promise<boolean> {
  const path = join(directory, `.try-${process.pid}`);
  try {
    await mkdir(directory, { mode: 0o700 }).catch((cause: unknown) => {
      if (errorText(cause) !== 'EEXIST') throw cause;
    });
    const handle = await open(path, 'w', 0o600);
    try {
      await handle.write(Buffer.alloc(triedBytes));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rm(path);
    return true;
  } catch {
    return false;
  }
}
