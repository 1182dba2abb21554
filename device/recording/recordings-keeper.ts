/**
 * Looks after the recordings on the disk: makes room, mends what a power cut left, converts what is finished, keeps the list.
 * Looks into the directory each few seconds; looking through and converting go on beside it, one recording at a time.
 *
 * INVARIANT: a file is touched only when nobody writes it: it is not the one that the media host names, and it has not grown
 * between two looks.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '#device/logging.ts';
import type { Clock } from '#device/media/clock.ts';
import { hostFiles } from '#device/media/host-files.ts';
import type { MediaStatus } from '#device/media/host-protocol.ts';
import type { Home } from '#device/recording/bring-home.ts';
import type { DiskRoom } from '#device/recording/disk-room.ts';
import { findOriginal, Homecoming } from '#device/recording/homecoming.ts';
import {
  deleteRecording,
  type FoundDirectory,
  type FoundFile,
  indexFile,
  isOnePlace,
  readRecordingDirectory,
} from '#device/recording/recording-directory.ts';
import {
  emptyIndex,
  nextWork,
  type Recording,
  type RecordingIndex,
  reconcile,
  type SeenRecording,
  totalBytes,
  withoutGrowth,
  withoutRecordings,
  withPlaceByName,
  withRecording,
} from '#device/recording/recording-index.ts';
import { RecordingWork } from '#device/recording/recording-work.ts';
import { chooseDeletions, mayConvert } from '#device/recording/room.ts';
import type { Prepared } from '#device/settings/prepare.ts';
import { errorText, StateDirectory } from '#device/state/state-directory.ts';
import type { RecordingsSummary } from '#protocol/messages.ts';
import { settingDefinitions } from '#protocol/settings.ts';

const lookIntervalMs = 5_000;
/** Looks without growth after which nobody writes a file: more of them while no media host says what it writes. */
const quietLooks = 1;
const quietLooksWithoutHost = 6;

/** What the media host writes at present; null while it is not known. */
export type Writing = { readonly file: string | null } | null;

export type RecordingPlace = {
  readonly directory: string;
  readonly maximumBytes: number;
  /** Where recordings lie that were made while that directory's disk was away: they are brought from there. */
  readonly leftBehindIn: string | null;
};

export function recordingPlace(
  { settings, recordingsMeanwhile: meanwhile }: Pick<Prepared, 'settings' | 'recordingsMeanwhile'>,
  stateDirectory: string,
): RecordingPlace {
  const { AV_RECORD_DIR: directory, AV_RECORD_MAX_GB: maximum } = settings;
  const { recordings, recordingsMeanwhile } = hostFiles(stateDirectory);
  const wanted = typeof directory.value === 'string' && directory.value !== '' ? directory.value : recordings;
  return {
    directory: meanwhile ?? wanted,
    maximumBytes: Number(maximum.value ?? settingDefinitions.AV_RECORD_MAX_GB.default) * 1e9,
    leftBehindIn: meanwhile === null ? recordingsMeanwhile : null,
  };
}

/** Null where both are one place, or that cannot be told: what lies at home is not brought home. */
async function knownElsewhere(home: string, leftBehindIn: string | null): Promise<string | null> {
  if (leftBehindIn === null) return null;
  return isOnePlace(home, leftBehindIn).then(
    (isOne) => (isOne ? null : leftBehindIn),
    () => null,
  );
}

export function writingOf(status: MediaStatus | null): Writing {
  if (status === null) return null;
  return { file: status.outputs.find(({ kind }) => kind === 'recording')?.recording?.file ?? null };
}

/** Why the disk does not take the recording; null: it does, there is none, or the disk is only full. */
export function recordingFault(status: MediaStatus | null): string | null {
  const failing = status?.outputs.find(({ recording }) => recording?.fault === 'failed');
  if (failing === undefined) return null;
  return failing.state.kind === 'waiting' ? failing.state.lastError : 'the disk refuses';
}

export type RecordingsKeeperOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly place: () => RecordingPlace;
  /** Whether its disk is there at this moment: what is written to its mount point without it is out of sight once it is back. */
  readonly isThere: (directory: string) => Promise<boolean>;
  readonly writing: () => Writing;
  readonly record: (kind: string, detail: string) => void;
  readonly lookIntervalMs?: number;
};

export class RecordingsKeeper {
  readonly #options: RecordingsKeeperOptions;
  readonly #stopping = new AbortController();
  readonly #recordingWork: RecordingWork;
  readonly #homecoming: Homecoming;
  #directory: string | null = null;
  /** What lies there is to be brought; null: nothing is, as far as is known. */
  #leftBehindIn: string | null = null;
  #index: RecordingIndex = emptyIndex;
  #savedIndex = '';
  #disk: DiskRoom | null = null;
  #seen = new Map<string, { readonly bytes: number; readonly quietLooks: number }>();
  #looking: Promise<void> | null = null;
  #working: Promise<void> | null = null;
  #busyName: string | null = null;
  /** Brought here, and not seen here yet. */
  readonly #brought = new Set<string>();
  #cancelLook: () => void = () => undefined;
  /** Of this look, and of the one before. */
  #problem = '';
  #saidProblem = '';

  constructor(options: RecordingsKeeperOptions) {
    this.#options = options;
    this.#homecoming = new Homecoming({ ...options, signal: this.#stopping.signal });
    this.#recordingWork = new RecordingWork({
      ...options,
      signal: this.#stopping.signal,
      change: (name, changes) => this.#change(name, changes),
      remove: (name) => {
        this.#index = withoutRecordings(this.#index, new Set([name]));
      },
    });
  }

  start(): void {
    if (this.#stopping.signal.aborted) return;
    this.#looking = this.#look().finally(() => {
      this.#looking = null;
      if (this.#stopping.signal.aborted) return;
      this.#cancelLook = this.#options.clock.schedule(() => this.start(), this.#options.lookIntervalMs ?? lookIntervalMs);
    });
  }

  /** What is being converted is begun again by the next agent. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelLook();
    await this.#looking;
    await this.#working;
  }

  recordings(): readonly Recording[] {
    return this.#index.recordings;
  }

  /** Null: there are no recordings and no place for them. */
  summary(): RecordingsSummary | null {
    if (this.#disk === null) return null;
    const { recordings } = this.#index;
    const count = (wanted: (recording: Recording) => boolean) => recordings.filter(wanted).length;
    return {
      count: recordings.length,
      totalBytes: totalBytes(recordings),
      maximumBytes: this.#options.place().maximumBytes,
      freeBytes: Math.floor(this.#disk.freeBytes),
      protectedCount: count(({ isProtected }) => isProtected),
      waitingCount: count(({ state }) => state === 'written' || state === 'waiting'),
      unconvertibleCount: count(({ state }) => state === 'unconvertible'),
      oldestAt: recordings[0]?.startedAt ?? null,
      newestAt: recordings.at(-1)?.startedAt ?? null,
    };
  }

  async #look(): Promise<void> {
    this.#problem = '';
    try {
      const { directory, leftBehindIn } = this.#options.place();
      if (directory !== this.#directory) await this.#enter(directory);
      this.#leftBehindIn = await knownElsewhere(directory, leftBehindIn);
      const busyBefore = this.#busyName;
      const found = await readRecordingDirectory(directory);
      this.#disk = found?.disk ?? null;
      if (found === null) {
        await this.#makeHome(directory, leftBehindIn);
        return;
      }
      await this.#removeLeftovers(directory, found);
      this.#index = reconcile(this.#index, this.#judge(found.files), new Set([busyBefore, this.#busyName]));
      this.#placeBrought();
      await this.#makeRoom(directory, found.disk);
      // A disk that does not take the list takes no work either: what failed on it says nothing of the recording.
      if (await this.#save(directory)) this.#work(directory);
    } catch (cause) {
      this.#complain(`the recordings cannot be looked after (${errorText(cause)})`);
    }
    if (this.#problem !== this.#saidProblem && this.#problem !== '') this.#options.log.warn(this.#problem);
    this.#saidProblem = this.#problem;
  }

  /** As the media host does for a recording, and none above it: while its disk is away there is no place for it. */
  async #makeHome(directory: string, leftBehindIn: string | null): Promise<void> {
    const writing = this.#options.writing();
    if (leftBehindIn === null || writing === null || (await this.#homecoming.toBring(leftBehindIn, writing.file)).length === 0) return;
    if (!(await this.#options.isThere(directory))) return;
    await mkdir(directory, { mode: 0o700 }).catch((cause: unknown) => {
      if (!['ENOENT', 'EEXIST'].includes(errorText(cause))) throw cause;
    });
  }

  /** The list that is kept beside the recordings, so that a disk that is carried elsewhere has it with it. */
  async #enter(directory: string): Promise<void> {
    this.#directory = directory;
    this.#homecoming.beginAnew();
    this.#seen.clear();
    this.#savedIndex = '';
    this.#index = (await new StateDirectory(directory, this.#options.log).read(indexFile)) ?? emptyIndex;
  }

  #judge(files: readonly FoundFile[]): SeenRecording[] {
    const writing = this.#options.writing();
    const enough = writing === null ? quietLooksWithoutHost : quietLooks;
    const before = this.#seen;
    this.#seen = new Map();
    return files.map(({ name, format, bytes, isProtected }) => {
      const fileName = `${name}.${format}`;
      const former = before.get(fileName);
      const isQuiet = former?.bytes === bytes && writing?.file !== fileName;
      const looks = isQuiet ? former.quietLooks + 1 : 0;
      this.#seen.set(fileName, { bytes, quietLooks: looks });
      return { name, format, bytes, isProtected, isComplete: looks >= enough };
    });
  }

  async #removeLeftovers(directory: string, { leftovers }: FoundDirectory): Promise<void> {
    const busyName = this.#busyName;
    for (const name of leftovers) {
      if (busyName === null || !name.startsWith(`${busyName}.`)) await rm(join(directory, name), { force: true });
    }
  }

  async #makeRoom(directory: string, disk: DiskRoom): Promise<void> {
    const { maximumBytes } = this.#options.place();
    const writing = this.#options.writing();
    const arriving =
      this.#leftBehindIn === null || writing === null
        ? []
        : await this.#homecoming.arrivals(this.#leftBehindIn, this.#index.recordings, writing.file);
    const chosen = chooseDeletions(this.#index, { disk, maximumBytes, busyName: this.#busyName, arriving });
    const gone = new Set<string>();
    for (const { name } of chosen) {
      try {
        await deleteRecording(directory, name);
        gone.add(name);
      } catch (cause) {
        this.#complain(`a recording cannot be deleted (${errorText(cause)})`);
        break;
      }
    }
    if (gone.size === 0) return;
    this.#index = withoutRecordings(this.#index, gone);
    this.#options.record('recordings-deleted', `${gone.size} of the oldest, to make room: ${[...gone].slice(0, 5).join(', ')}`);
  }

  #placeBrought(): void {
    for (const name of this.#brought) {
      if (!this.#index.recordings.some((recording) => recording.name === name)) continue;
      this.#index = withPlaceByName(this.#index, name);
      this.#brought.delete(name);
    }
  }

  /** Whether what is known is on the disk: not where more has become known meanwhile. */
  async #save(directory: string): Promise<boolean> {
    const content = JSON.stringify(withoutGrowth(this.#index));
    if (content === this.#savedIndex) return true;
    try {
      await new StateDirectory(directory, this.#options.log).write(indexFile, withoutGrowth(this.#index));
      this.#savedIndex = content;
      return content === JSON.stringify(withoutGrowth(this.#index));
    } catch (cause) {
      // The files are the truth: it is drawn up again from them.
      this.#complain(`the list of the recordings cannot be written (${errorText(cause)})`);
      return false;
    }
  }

  #work(directory: string): void {
    const disk = this.#disk;
    if (this.#working !== null || disk === null) return;
    const next = nextWork(this.#index, (waiting) => mayConvert(disk, waiting));
    if (next === null) this.#bringHome(directory, disk);
    else this.#lookThrough(directory, next);
  }

  #lookThrough(directory: string, next: Recording): void {
    this.#busyName = next.name;
    this.#working = this.#workOn(directory, next).finally(() => {
      this.#busyName = null;
      this.#working = null;
    });
  }

  /** What it is a copy of is on the disk, in the list, before it is worked on. */
  async #workOn(directory: string, recording: Recording): Promise<void> {
    const { signal } = this.#stopping;
    const original = this.#leftBehindIn === null ? null : await findOriginal(this.#leftBehindIn, directory, recording, signal);
    if (signal.aborted) return;
    if (original === null) return this.#recordingWork.process(directory, recording);
    this.#change(recording.name, { original });
    this.#brought.add(recording.name);
  }

  /** One at a time, when there is nothing else to do, and while it is known what the media host writes. */
  #bringHome(directory: string, disk: DiskRoom): void {
    const leftBehindIn = this.#leftBehindIn;
    const writing = this.#options.writing();
    if (leftBehindIn === null || writing === null) return;
    const home: Home = {
      directory,
      disk,
      recordings: this.#index.recordings,
      isThere: () => this.#options.isThere(directory),
      claim: (name) => {
        this.#busyName = name;
        this.#brought.add(name);
      },
    };
    this.#working = this.#homecoming.bringNext(leftBehindIn, home, writing.file).finally(() => {
      this.#busyName = null;
      this.#working = null;
    });
  }

  /** The recording may have gone meanwhile; then there is nothing to change. */
  #change(name: string, changes: Partial<Recording>): void {
    const current = this.#index.recordings.find((recording) => recording.name === name);
    if (current !== undefined) this.#index = withRecording(this.#index, { ...current, ...changes });
  }

  /** Once a problem, not once a look. */
  #complain(problem: string): void {
    if (this.#problem === '') this.#problem = problem;
  }
}
