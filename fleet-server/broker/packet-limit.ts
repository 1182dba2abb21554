/** A guard between a socket and the broker: the same bytes, but a packet that is too large closes the connection. */
import { Duplex } from 'node:stream';
import { type PacketRefusal, PacketScanner } from '#fleet-server/broker/packet-scanner.ts';

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

  constructor(source: Duplex) {
    super({ allowHalfOpen: false });
    this.#source = source;
  }

  start(): this {
    const source = this.#source;
    source.on('data', (chunk: Buffer) => {
      const refusal = this.#scanner.scan(chunk);
      if (refusal !== undefined) this.destroy(new PacketRefused(refusal));
      else if (!this.push(chunk)) source.pause();
    });
    source.on('end', () => this.push(null));
    source.on('error', (cause) => this.destroy(cause));
    source.on('close', () => this.destroy());
    return this;
  }

  accept(): void {
    this.#scanner.accept();
  }

  get saidGoodbye(): boolean {
    return this.#scanner.sawDisconnect;
  }

  override _read(): void {
    this.#source.resume();
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
