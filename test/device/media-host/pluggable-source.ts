/** A camera or a microphone that can be pulled out: raw pictures or sound over TCP, for `tcpclientsrc`. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export type Plug = {
  /** Resolves when the device can be used again. */
  readonly plug: () => Promise<void>;
  readonly unplug: () => Promise<void>;
};

export type SourceShape = { readonly chunkBytes: number; readonly chunksPerSecond: number };

/** What a slow reader has not taken yet: more is not made for it. */
const maximumWaitingBytes = 1_000_000;

export class PluggableSource implements Plug {
  readonly #shape: SourceShape;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #isFrozen = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(shape: SourceShape) {
    this.#shape = shape;
  }

  /** Plugged in. */
  static async start(shape: SourceShape): Promise<PluggableSource> {
    const source = new PluggableSource(shape);
    await source.plug();
    return source;
  }

  get port(): number {
    return this.#port;
  }

  readonly plug = async (): Promise<void> => {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#isFrozen = false;
    let made = 0;
    const begin = performance.now();
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - begin) * this.#shape.chunksPerSecond) / 1000);
      for (; made < due; made += 1) this.#write(made);
    }, 10);
  };

  readonly unplug = async (): Promise<void> => {
    clearInterval(this.#timer);
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    // As a camera that is pulled out: an error, not an end.
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  };

  /** The device hangs: no error, no data. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
  }

  /** Each chunk is of another brightness, so that a picture that stands still can be told from one that moves. */
  #write(number: number): void {
    if (this.#isFrozen) return;
    const chunk = Buffer.alloc(this.#shape.chunkBytes, 64 + (number % 128));
    for (const socket of this.#sockets) if (socket.writableLength < maximumWaitingBytes) socket.write(chunk);
  }
}

/** Pictures as `AV_VIDEO_SOURCE` names them, from the device's own environment. */
export function cameraElement(port: number, { width, height }: { readonly width: number; readonly height: number }): string {
  return `tcpclientsrc name=camera host=127.0.0.1 port=${port} ! rawvideoparse format=i420 width=${width} height=${height} framerate=30/1`;
}

export function cameraShape({ width, height }: { readonly width: number; readonly height: number }): SourceShape {
  return { chunkBytes: (width * height * 3) / 2, chunksPerSecond: 30 };
}

/** 16 000 samples a second of one channel. */
export const microphoneShape: SourceShape = { chunkBytes: 640, chunksPerSecond: 50 };

export function microphoneElement(port: number): string {
  return `tcpclientsrc host=127.0.0.1 port=${port} ! rawaudioparse pcm-format=s16le sample-rate=16000 num-channels=1`;
}
