/** The work on one recording that nobody writes any more: it is looked through and mended, converted, and kept as it is where that cannot be done. */
import { join } from 'node:path';
import type { Log } from '#device/logging.ts';
import { convertSegment, hashFile } from '#device/recording/convert.ts';
import { mendSegment } from '#device/recording/mend.ts';
import { readMp4Facts } from '#device/recording/mp4-facts.ts';
import { deleteRecording } from '#device/recording/recording-directory.ts';
import type { Recording } from '#device/recording/recording-index.ts';
import { errorText } from '#device/state/state-directory.ts';

const maximumAttempts = 3;

export type RecordingWorkOptions = {
  readonly log: Log;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly record: (kind: string, detail: string) => void;
  /** What is known of a recording from now on. */
  readonly change: (name: string, changes: Partial<Recording>) => void;
  /** It is deleted. */
  readonly remove: (name: string) => void;
};

type KeptRecording = Pick<Recording, 'name' | 'format' | 'attempts'>;

export class RecordingWork {
  readonly #options: RecordingWorkOptions;

  constructor(options: RecordingWorkOptions) {
    this.#options = options;
  }

  /** One step. What cannot be done is tried again a few times, so that no other recording waits for it for ever. Never rejects. */
  async process(directory: string, recording: Recording): Promise<void> {
    try {
      if (recording.state === 'waiting') await this.#convert(directory, recording);
      else if (recording.format === 'mp4') await this.#examineMp4(directory, recording);
      else await this.#mend(directory, recording);
    } catch (cause) {
      await this.#giveUpOrWait(directory, recording, `it cannot be looked through (${errorText(cause)})`);
    }
  }

  async #mend(directory: string, recording: Recording): Promise<void> {
    const facts = await mendSegment(join(directory, `${recording.name}.flv`));
    if (facts.isBeheaded) {
      await this.#keepAsItIs(directory, recording, 'its beginning cannot be read, and with it what a player needs');
      return;
    }
    if (facts.wholeBytes === 0) {
      await deleteRecording(directory, recording.name);
      this.#options.remove(recording.name);
      this.#options.record('recording-empty', `${recording.name}: nothing in it but its beginning, deleted`);
      return;
    }
    const holeBytes = facts.holes.reduce((sum, { fromByte, toByte }) => sum + toByte - fromByte, 0);
    if (holeBytes > 0) {
      this.#options.record('recording-mended', `${recording.name}: ${holeBytes} bytes that cannot be read are skipped in its middle`);
    }
    if (facts.wholeBytes < recording.bytes) {
      this.#options.record(
        'recording-mended',
        `${recording.name}: ${recording.bytes - facts.wholeBytes} bytes of a half-written end cut off`,
      );
    }
    const { wholeBytes: bytes, frames, sounds, durationMs } = facts;
    const lostBytes = Math.max(0, recording.bytes - bytes) + holeBytes;
    this.#options.change(recording.name, {
      state: 'waiting',
      attempts: 0,
      problem: null,
      bytes,
      frames,
      sounds,
      durationMs,
      ...(lostBytes === 0 ? {} : { mendedBytes: lostBytes }),
    });
  }

  async #examineMp4(directory: string, { name }: Recording): Promise<void> {
    const facts = await readMp4Facts(join(directory, `${name}.mp4`));
    const samples = (kind: 'video' | 'audio') => facts?.tracks.find((track) => track.kind === kind)?.samples ?? null;
    const problem = facts?.isWhole === true ? null : 'the file has no tables, or is cut off';
    const found = { durationMs: facts?.durationMs ?? null, frames: samples('video'), sounds: samples('audio'), problem };
    const sha256 = await hashFile(directory, `${name}.mp4`, this.#options.signal);
    if (this.#options.signal.aborted) return;
    this.#options.change(name, { ...found, sha256, state: problem === null ? 'ready' : 'unconvertible' });
  }

  async #convert(directory: string, recording: Recording): Promise<void> {
    const { name, frames, sounds, durationMs } = recording;
    const { signal } = this.#options;
    const segment = { name, frames: frames ?? 0, sounds: sounds ?? 0, durationMs: durationMs ?? 0 };
    const attemptId = `${process.pid}-${Math.floor(this.#options.random() * 1e9)}`;
    const outcome = await convertSegment({ directory, segment, attemptId, signal });
    switch (outcome.kind) {
      case 'stopped':
        return;
      case 'converted': {
        const sha256 = await hashFile(directory, `${name}.mp4`, signal);
        // Not hashed because the agent stops: the next one looks at the file anew.
        const state = sha256 === null ? 'written' : 'ready';
        this.#options.change(name, {
          format: 'mp4',
          bytes: outcome.bytes,
          durationMs: outcome.durationMs,
          frames,
          sounds,
          sha256,
          state,
          attempts: 0,
          problem: null,
        });
        return;
      }
      case 'failed':
        await this.#giveUpOrWait(directory, recording, outcome.reason);
        return;
      default:
        outcome satisfies never;
    }
  }

  async #giveUpOrWait(directory: string, { name, format, attempts }: Recording, reason: string): Promise<void> {
    const problem = reason.slice(0, 500);
    const isLast = attempts + 1 >= maximumAttempts;
    this.#options.log.warn(`recording ${name}, attempt ${attempts + 1} of ${maximumAttempts} to get it into its last form: ${problem}`);
    if (!isLast) {
      this.#options.change(name, { attempts: attempts + 1, problem });
      return;
    }
    await this.#keepAsItIs(directory, { name, format, attempts: attempts + 1 }, problem);
  }

  async #keepAsItIs(directory: string, { name, format, attempts }: KeptRecording, problem: string): Promise<void> {
    const sha256 = await hashFile(directory, `${name}.${format}`, this.#options.signal);
    if (this.#options.signal.aborted) return;
    this.#options.change(name, { attempts, problem, sha256, state: 'unconvertible' });
    this.#options.record('recording-not-converted', `${name} stays as ${format.toUpperCase()}: ${problem}`.slice(0, 500));
  }
}
