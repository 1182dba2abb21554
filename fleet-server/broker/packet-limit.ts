/**
 * A guard between a socket and the broker: the same bytes, packet by packet, but one that is too large or against the rules closes the
 * connection; and packets that need not go through the broker are taken out (device-lane.ts).
 *
 * INVARIANT: packets are taken out only from a moment on at which the broker has taken over all that came before.
 */
import { Duplex } from 'node:stream';
import { findPacketFault } from '#fleet-server/broker/packet-rules.ts';
import { type PacketRefusal, PacketScanner } from '#fleet-server/broker/packet-scanner.ts';
import { PacketSplitter } from '#fleet-server/broker/packet-splitter.ts';

export class PacketRefused extends Error {
  readonly code = 'PACKET_REFUSED';
  readonly refusal: PacketRefusal;

  constructor(refusal: PacketRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Owns `source`: destroying one destroys the other. Buffers no more than the high-water marks of the two streams. */
export class GuardedConnection extends Duplex {
  readonly #source: Duplex;
  readonly #scanner = new PacketScanner();
  readonly #splitter = new PacketSplitter();
  #take: ((packet: Buffer) => boolean) | null = null;
  #isTaking = false;
  /** The broker has read enough for now. */
  #isFull = false;
  #isHeld = false;
  #isRefused = false;
  #isGathering = false;

  constructor(source: Duplex) {
    super({ allowHalfOpen: false });
    this.#source = source;
  }

  start(): this {
    const source = this.#source;
    source.on('data', (chunk: Buffer) => {
      const refusal = this.#scanner.scan(chunk);
      if (refusal !== undefined) {
        this.#refuse(refusal);
        return;
      }
      this.#isTaking ||= this.#take !== null && this.readableLength === 0;
      this.#splitter.split(chunk, (packet) => this.#offer(packet));
    });
    source.on('end', () => this.push(null));
    source.on('error', (cause) => this.destroy(cause));
    source.on('close', () => this.destroy());
    return this;
  }

  accept(): void {
    this.#scanner.accept();
  }

  /** From now on, or soon, each whole packet is offered to `take` first, which answers whether it has taken it. */
  takeOut(take: (packet: Buffer) => boolean): void {
    this.#take = take;
  }

  /** Nothing more is read until `readOn`. */
  hold(): void {
    this.#isHeld = true;
    this.#source.pause();
  }

  readOn(): void {
    this.#isHeld = false;
    if (!this.#isFull) this.#source.resume();
  }

  /** As `write`; what is sent in one go of the event loop leaves together. */
  send(bytes: Buffer): boolean {
    if (!this.#isGathering) {
      this.#isGathering = true;
      this.cork();
      process.nextTick(() => {
        this.#isGathering = false;
        this.uncork();
      });
    }
    return this.write(bytes);
  }

  #offer(packet: Buffer): void {
    if (this.#isRefused || this.destroyed) return;
    const fault = findPacketFault(packet);
    if (fault !== undefined) this.#refuse(fault);
    else if (!this.#isTaking || this.#take?.(packet) !== true) this.#forward(packet);
  }

  #refuse(refusal: PacketRefusal): void {
    this.#isRefused = true;
    const end = () => this.destroy(new PacketRefused(refusal));
    if (refusal.answer === undefined) end();
    else this.#source.end(refusal.answer, end);
  }

  #forward(bytes: Buffer): void {
    if (this.push(bytes)) return;
    this.#isFull = true;
    this.#source.pause();
  }

  get saidGoodbye(): boolean {
    return this.#scanner.sawDisconnect;
  }

  override _read(): void {
    this.#isFull = false;
    if (!this.#isHeld) this.#source.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#source.write(chunk, done);
  }

  // The writer makes many small pieces of one packet: they leave as one segment, or as one WebSocket frame.
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#source.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#source.destroy();
    done(error);
  }
}
