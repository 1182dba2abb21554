/**
 * The recording: segments on the device's own disk. One operation on the disk at a time, off the hot path: while it lasts,
 * tags wait in a bounded queue of which whole groups of pictures go when the disk is too slow.
 *
 * INVARIANTS
 * - What is older than `writeIntervalMs` is with the kernel (a killed media host loses no more), what is older than
 *   `syncIntervalMs` and one write is on the disk (a power cut loses no more).
 * - A fault of the disk ends the segment, never the output: it tries again for as long as it is wanted.
 */
import { statfs } from 'node:fs/promises';
import { type BackOffPolicy, backOffDelay } from '#device/media/back-off.ts';
import type { Tag } from '#device/media-host/flv.ts';
import type { Output, OutputSurroundings } from '#device/media-host/output.ts';
import { codeOf, SegmentFile } from '#device/media-host/segment-file.ts';
import { Segmenter, type SegmentStep } from '#device/media-host/segmenter.ts';
import { TagQueue } from '#device/media-host/tag-queue.ts';
import type { RecordingOutputPlan } from '#device/plan/pipeline-plan.ts';
import { type DiskRoom, mayRecord, mayResume } from '#device/recording/disk-room.ts';
import type { OutputState, OutputStatus, RecordingStatus } from '#protocol/media.ts';

/** Some 50 s of 2.5 Mbit/s: cards stand still for seconds, not for that long. */
const maximumQueuedBytes = 16 * 1024 * 1024;
const writeIntervalMs = 200;
/** A keyframe in high quality: more than this is not left waiting for the interval. */
const hastyBytes = 512 * 1024;
/** What one write takes from the queue, beyond its last tag. */
const batchBytes = 1024 * 1024;
const syncIntervalMs = 500;
const roomIntervalMs = 2_000;
/** An operation that takes longer is told of. */
const silentBoundMs = 5_000;
const retryPolicy: BackOffPolicy = { firstMs: 500, factor: 1.5, capMs: 5_000, jitter: 0 };
/** A recording that held so long was well: the next fault is a new one. */
const provenAfterMs = 30_000;

type Fault = NonNullable<RecordingStatus['fault']>;

type RecordingState =
  | { readonly kind: 'stopped' }
  /** Waits for the first keyframe. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'recording'; readonly sinceMs: number }
  | { readonly kind: 'paused'; readonly fault: Fault; readonly reason: string; readonly untilMs: number };

export type RecordingOutputOptions = OutputSurroundings & {
  readonly plan: RecordingOutputPlan;
  readonly directory: string;
};

class NoRoom extends Error {}

export class RecordingOutput implements Output {
  readonly plan: RecordingOutputPlan;
  readonly #options: RecordingOutputOptions;
  readonly #queue = new TagQueue(maximumQueuedBytes);
  readonly #segmenter: Segmenter;
  #state: RecordingState = { kind: 'stopped' };
  #file: SegmentFile | null = null;
  #hasPicture = false;
  #room: DiskRoom | null = null;
  #work: Promise<void> | null = null;
  #workBeganMs = 0;
  #writtenMs = 0;
  #syncedMs = 0;
  #roomAskedMs = Number.NEGATIVE_INFINITY;
  #attempt = 0;
  #segments = 0;
  #bytesOfFormerFiles = 0;
  #saidReason: string | null = null;

  constructor(options: RecordingOutputOptions) {
    this.plan = options.plan;
    this.#options = options;
    this.#segmenter = new Segmenter(options.plan.segmentS * 1000);
  }

  start(): void {
    if (this.#state.kind !== 'stopped') return;
    this.#options.bus.join(this.#queue);
    this.#enter({ kind: 'starting' });
  }

  stop(): void {
    if (this.#state.kind === 'stopped') return;
    this.#options.bus.leave(this.#queue);
    const wasPaused = this.#state.kind === 'paused';
    this.#enter({ kind: 'stopped' });
    if (wasPaused) this.#queue.clear();
    this.#work = (this.#work ?? Promise.resolve()).then(() => this.#finish());
  }

  /** What is still written after `stop`. */
  async settled(): Promise<void> {
    await this.#work;
  }

  advance(): void {
    if (this.#work !== null || !this.#isDue()) return;
    this.#workBeganMs = this.#now();
    const work = this.#doWork().finally(() => {
      if (this.#work === work) this.#work = null;
    });
    this.#work = work;
  }

  status(): OutputStatus {
    const { id, kind, target } = this.plan;
    const fileBytes = this.#file?.bytes ?? 0;
    return {
      id,
      kind,
      target,
      state: this.#outputState(),
      connections: this.#segments,
      bytesSent: this.#bytesOfFormerFiles + fileBytes,
      droppedGroups: this.#queue.droppedGroups,
      queuedBytes: this.#queue.queuedBytes,
      recording: {
        file: this.#file?.fileName ?? null,
        fileBytes,
        freeBytes: this.#room === null ? null : Math.floor(this.#room.freeBytes),
        fault: this.#state.kind === 'paused' ? this.#state.fault : this.#isSilent() ? 'failed' : null,
      },
    };
  }

  #isDue(): boolean {
    const nowMs = this.#now();
    switch (this.#state.kind) {
      case 'stopped':
        return false;
      case 'paused':
        return nowMs >= this.#state.untilMs;
      case 'starting':
      case 'recording':
        return nowMs - this.#writtenMs >= writeIntervalMs || this.#queue.queuedBytes >= hastyBytes;
      default:
        return this.#state satisfies never;
    }
  }

  async #doWork(): Promise<void> {
    try {
      await this.#checkRoom();
      await this.#drain();
      if (this.#file !== null && this.#now() - this.#syncedMs >= syncIntervalMs) {
        await this.#file.sync();
        this.#syncedMs = this.#now();
      }
      this.#writtenMs = this.#now();
    } catch (cause) {
      await this.#fail(cause);
    }
  }

  /** Before anything else of a recording that begins or resumes, and each two seconds. */
  async #checkRoom(): Promise<void> {
    const isPaused = this.#state.kind === 'paused';
    if (!isPaused && this.#now() - this.#roomAskedMs < roomIntervalMs) return;
    const disk = await statfs(this.#options.directory).catch((cause: unknown) => {
      // The directory is made with the first file.
      if (codeOf(cause) === 'ENOENT') return null;
      throw cause;
    });
    this.#roomAskedMs = this.#now();
    this.#room = disk === null ? null : { totalBytes: disk.blocks * disk.bsize, freeBytes: disk.bavail * disk.bsize };
    if (this.#room === null) return;
    const hasRoom = isPaused ? mayResume(this.#room) : mayRecord(this.#room);
    if (!hasRoom) throw new NoRoom(`only ${Math.floor(this.#room.freeBytes / 1e6)} MB are free, which are kept for the system`);
  }

  async #drain(): Promise<void> {
    while (this.#queue.queuedBytes > 0) {
      const steps = this.#takeBatch();
      let waiting: Buffer[] = [];
      let waitingBytes = 0;
      for (const step of steps) {
        if (step.kind === 'write') {
          waiting.push(step.bytes);
          waitingBytes += step.bytes.length;
          continue;
        }
        await this.#write(waiting, waitingBytes);
        waiting = [];
        waitingBytes = 0;
        await this.#turnOver(step);
      }
      await this.#write(waiting, waitingBytes);
      if (steps.length === 0) return;
    }
  }

  #takeBatch(): SegmentStep[] {
    const steps: SegmentStep[] = [];
    const beforeBytes = this.#queue.queuedBytes;
    // The newest tag is new just now: how old the others are is in their time stamps.
    const wallOffsetMs = this.#options.clock.nowMs() - this.#queue.newestMs;
    while (beforeBytes - this.#queue.queuedBytes < batchBytes) {
      const tag: Tag | null = this.#queue.take();
      if (tag === null) break;
      steps.push(...this.#segmenter.next(tag, tag.timestampMs + wallOffsetMs));
    }
    return steps;
  }

  async #write(parts: readonly Buffer[], bytes: number): Promise<void> {
    const file = this.#file;
    if (parts.length === 0 || file === null) return;
    await file.write(Buffer.concat(parts, bytes));
    this.#hasPicture = true;
  }

  async #turnOver(step: Exclude<SegmentStep, { kind: 'write' }>): Promise<void> {
    if (step.kind === 'close') {
      await this.#close();
      return;
    }
    this.#file = await SegmentFile.open(this.#options.directory, step.startedAtMs);
    this.#hasPicture = false;
    this.#segments += 1;
    this.#syncedMs = this.#now();
    await this.#file.write(step.bytes);
    if (this.#state.kind === 'stopped' || this.#state.kind === 'recording') return;
    this.#enter({ kind: 'recording', sinceMs: this.#now() });
    this.#options.onEvent(this.#saidReason === null ? 'recording-started' : 'recording-resumed', this.#file.fileName);
    this.#saidReason = null;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    await file.close();
    this.#bytesOfFormerFiles += file.bytes;
    this.#file = null;
  }

  async #finish(): Promise<void> {
    try {
      await this.#drain();
      await this.#close();
    } catch (cause) {
      await this.#letGo();
      this.#options.onEvent('recording-failed', `the end of the recording could not be written: ${inWords(cause)}`);
    }
    this.#queue.clear();
  }

  async #fail(cause: unknown): Promise<void> {
    const fault: Fault = cause instanceof NoRoom || ['ENOSPC', 'EDQUOT'].includes(codeOf(cause)) ? 'disk-full' : 'failed';
    const reason = inWords(cause);
    const isProven = this.#state.kind === 'recording' && this.#now() - this.#state.sinceMs >= provenAfterMs;
    this.#attempt = isProven ? 1 : this.#attempt + 1;
    if (cause instanceof NoRoom) await this.#close().catch(() => undefined);
    await this.#letGo();
    if (this.#state.kind === 'stopped') return;
    this.#enter({ kind: 'paused', fault, reason, untilMs: this.#now() + backOffDelay(retryPolicy, this.#attempt, 0) });
    // Once a cause, not once an attempt.
    if (reason.replace(/\d+/g, '') !== this.#saidReason) this.#options.onEvent('recording-paused', reason);
    this.#saidReason = reason.replace(/\d+/g, '');
  }

  async #letGo(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    this.#segmenter.forget();
    if (file === null) return;
    this.#bytesOfFormerFiles += file.bytes;
    await file.abandon(!this.#hasPicture);
  }

  #enter(state: RecordingState): void {
    this.#state = state;
    this.#options.onState();
  }

  #isSilent(): boolean {
    return this.#work !== null && this.#state.kind !== 'stopped' && this.#now() - this.#workBeganMs > silentBoundMs;
  }

  #outputState(): OutputState {
    const state = this.#state;
    const wallClock = (monotonicMs: number) => new Date(this.#options.clock.nowMs() + monotonicMs - this.#now()).toISOString();
    if (this.#isSilent()) {
      const lastError = `the disk has not answered for ${Math.round((this.#now() - this.#workBeganMs) / 1000)} s`;
      return { kind: 'waiting', attempt: this.#attempt + 1, nextTryAt: wallClock(this.#now()), lastError };
    }
    switch (state.kind) {
      case 'stopped':
        return { kind: 'stopped' };
      case 'starting':
        return { kind: 'connecting', attempt: 1 };
      case 'recording':
        return { kind: 'streaming', since: wallClock(state.sinceMs) };
      case 'paused':
        return { kind: 'waiting', attempt: this.#attempt + 1, nextTryAt: wallClock(state.untilMs), lastError: state.reason };
      default:
        return state satisfies never;
    }
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

const words: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EIO: 'the disk gives errors',
  ENOENT: 'the file or its directory is gone',
  EACCES: 'the directory may not be written',
  EPERM: 'the directory may not be written',
  ENOTDIR: 'the directory of the recordings is no directory',
  ENODEV: 'the disk is gone',
  ENXIO: 'the disk is gone',
};

/** Without a path: the text goes to the fleet. */
function inWords(cause: unknown): string {
  const code = codeOf(cause);
  if (code !== '') return words[code] ?? `the disk refuses (${code})`;
  return cause instanceof Error ? cause.message : 'the disk refuses';
}
