/**
 * One reading of a file from its beginning to its end, in a process of its own: what takes an unknown file apart may crash and
 * must not take the stream along, and nothing of it leaks into the host.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { passedEnvironment } from '#device/media/host-process.ts';
import type { Container } from '#device/media-host/file/container.ts';
import { cutPackets, type Packet } from '#device/media-host/file/gdp.ts';
import type { Track } from '#device/media-host/file/loop-line.ts';
import { descriptors, readerCommand } from '#device/media-host/file/reader-command.ts';

export type Reading = {
  /** Nothing comes before this. */
  readonly setFlowing: (isFlowing: boolean) => void;
  /** May be called twice. Nothing comes afterwards. */
  readonly stop: () => void;
};

export type ReadingHandlers = {
  readonly onPacket: (track: Track, packet: Packet) => void;
  /** Once. Null: to the end. */
  readonly onEnd: (problem: string | null) => void;
};

const keptComplaint = 4096;
const longestReason = 300;

export class FileReader implements Reading {
  readonly #handlers: ReadingHandlers;
  readonly #child: ChildProcess;
  #isOver = false;
  #complaints = '';

  /** The handle may be closed afterwards: the process has the file by then. */
  constructor(handle: FileHandle, container: Container, soundRateHz: number | null, handlers: ReadingHandlers) {
    this.#handlers = handlers;
    this.#child = spawn('gst-launch-1.0', readerCommand(container, soundRateHz), {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', handle.fd],
      env: passedEnvironment(),
    });
    this.#child.once('error', (cause) => this.#end(`gst-launch-1.0 cannot be started: ${cause.message}`));
    this.#child.once('close', (code) => this.#end(code === 0 ? null : this.#complaint()));
    this.#child.stderr?.on('data', (chunk) => {
      this.#complaints = `${this.#complaints}${String(chunk)}`.slice(-keptComplaint);
      // gst-launch-1.0 has been seen to hang after its own error.
      if (this.#complaints.includes('ERROR: pipeline')) this.#child.kill('SIGKILL');
    });
    this.#listen('pictures');
    this.#listen('sound');
  }

  setFlowing(isFlowing: boolean): void {
    for (const track of ['pictures', 'sound'] as const) {
      const stream = this.#stream(track);
      if (isFlowing) stream.resume();
      else stream.pause();
    }
  }

  stop(): void {
    this.#isOver = true;
    this.#child.kill('SIGKILL');
    for (const track of ['pictures', 'sound'] as const) this.#stream(track).destroy();
  }

  #stream(track: Track): Readable {
    return this.#child.stdio[descriptors[track]] as Readable;
  }

  #listen(track: Track): void {
    const stream = this.#stream(track);
    let rest: Buffer = Buffer.alloc(0);
    stream.on('data', (chunk: Buffer) => {
      if (this.#isOver) return;
      const cut = cutPackets(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
      if (cut.kind === 'broken') {
        this.#end(cut.reason);
        this.stop();
        return;
      }
      rest = cut.rest;
      for (const packet of cut.packets) if (!this.#isOver) this.#handlers.onPacket(track, packet);
    });
    stream.on('error', () => stream.destroy());
    stream.pause();
  }

  #end(problem: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handlers.onEnd(problem);
  }

  #complaint(): string {
    const line = this.#complaints.split('\n').find((text) => text.includes('ERROR: from')) ?? '';
    const said = line.replace(/^.*ERROR: from element [^:]*:[^:]*: /, '').trim();
    return said === '' ? 'what takes it apart has crashed' : said.slice(0, longestReason);
  }
}

/** What was read before, once more. */
export class RepeatedReading implements Reading {
  readonly #packets: readonly (readonly [Track, Packet])[];
  readonly #handlers: ReadingHandlers;
  #next = 0;
  #isFlowing = false;
  #isOver = false;

  constructor(packets: readonly (readonly [Track, Packet])[], handlers: ReadingHandlers) {
    this.#packets = packets;
    this.#handlers = handlers;
  }

  setFlowing(isFlowing: boolean): void {
    if (this.#isFlowing === isFlowing) return;
    this.#isFlowing = isFlowing;
    while (this.#isFlowing && !this.#isOver) {
      const entry = this.#packets[this.#next];
      if (entry === undefined) {
        this.#isOver = true;
        this.#handlers.onEnd(null);
      } else {
        this.#next += 1;
        this.#handlers.onPacket(...entry);
      }
    }
  }

  stop(): void {
    this.#isOver = true;
  }
}
