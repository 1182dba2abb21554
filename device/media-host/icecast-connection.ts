/**
 * One connection to an Icecast server: an HTTP PUT whose body never ends. In Node and not by GStreamer's own sink, which
 * connects inside a change of state and would hold up the whole media host where nobody answers, and has one error for all.
 */
import { connect, type Socket } from 'node:net';
import { icecastRefusalWords, networkErrorWords, notIcecastWords } from '#device/media-host/icecast-error.ts';
import { keepOwnSocket } from '#device/media-host/own-sockets.ts';

export type IcecastAddress = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly mount: string;
};

export type IcecastHandlers = {
  readonly onAccepted: () => void;
  /** At most once, and nothing follows. */
  readonly onFailed: (reason: string) => void;
};

const usualPort = 8000;
/** A refusal is a short page. */
const maximumAnswerBytes = 8 * 1024;
/** The page that says why comes right behind the status line. */
const bodyBoundMs = 200;

/** `icecast://user:password@host[:port]/mount`; null for what is no such address. */
export function parseIcecastAddress(location: string): IcecastAddress | null {
  if (!URL.canParse(location)) return null;
  const { protocol, hostname, port, username, password, pathname } = new URL(location);
  const isWhole = protocol === 'icecast:' && hostname !== '' && username !== '' && password !== '' && pathname.length > 1;
  if (!isWhole) return null;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? usualPort : Number(port),
    user: decode(username),
    password: decode(password),
    mount: pathname,
  };
}

/** A lone per cent sign in a password is one. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export class IcecastConnection {
  readonly #socket: Socket;
  readonly #handlers: IcecastHandlers;
  #isOver = false;
  #isAccepted = false;
  #answer = '';

  /** `name`: what listeners are told. */
  constructor(address: IcecastAddress, name: string, handlers: IcecastHandlers) {
    this.#handlers = handlers;
    this.#socket = connect({ host: address.host, port: address.port });
    keepOwnSocket(this.#socket);
    this.#socket.setNoDelay(true);
    this.#socket.on('connect', () => this.#socket.write(requestHead(address, name)));
    this.#socket.on('data', (chunk) => this.#take(String(chunk)));
    this.#socket.on('error', (cause: NodeJS.ErrnoException) => this.#fail(networkErrorWords(cause.code)));
    this.#socket.on('close', () => this.#fail(networkErrorWords(undefined)));
  }

  /** Handed over and not taken by the kernel. */
  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Taken by the kernel. */
  get sentBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  write(page: Buffer): void {
    if (this.#isAccepted && !this.#isOver) this.#socket.write(page);
  }

  /** At once, whatever the network does; what still waits is thrown away. May be called twice. */
  close(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #take(text: string): void {
    if (this.#isOver || this.#isAccepted) return;
    this.#answer = `${this.#answer}${text}`.slice(0, maximumAnswerBytes);
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(this.#answer)?.[1];
    if (status === undefined) {
      if (this.#answer.length > 16) this.#fail(notIcecastWords);
      return;
    }
    if (status === '100' || status === '200') {
      this.#isAccepted = true;
      this.#answer = '';
      this.#handlers.onAccepted();
      return;
    }
    setTimeout(() => this.#fail(icecastRefusalWords(Number(status), this.#answer)), bodyBoundMs);
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    const refused = this.#isAccepted ? null : /^HTTP\/1\.[01] (\d{3})/.exec(this.#answer)?.[1];
    this.close();
    this.#handlers.onFailed(refused == null ? reason : icecastRefusalWords(Number(refused), this.#answer));
  }
}

function requestHead({ host, port, user, password, mount }: IcecastAddress, name: string): string {
  const lines = [
    `PUT ${mount} HTTP/1.1`,
    `Host: ${host.includes(':') ? `[${host}]` : host}:${port}`,
    `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    'User-Agent: MakeSpaceLive',
    'Content-Type: audio/ogg',
    'Ice-Public: 0',
    // A line break would begin another header.
    `Ice-Name: ${name.replace(/\p{Cc}+/gu, ' ')}`,
    'Expect: 100-continue',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
