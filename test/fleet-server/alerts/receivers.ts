/** Real receivers of notices: an HTTP server and a mail server, each on a port of its own. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export type HttpNotice = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string };

export class HttpReceiver {
  readonly notices: HttpNotice[] = [];
  /** What it answers. */
  status = 200;
  /** Under this path it answers nothing. */
  silentAt: string | null = null;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, answer) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        this.notices.push({ path: request.url ?? '', headers: request.headers, body });
        if (request.url === this.silentAt) return;
        answer.writeHead(this.status, this.status === 302 ? { location: '/elsewhere' } : {}).end('a long answer that nobody needs');
      });
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export class MailReceiver {
  readonly mails: { readonly to: readonly string[]; readonly text: string }[] = [];
  /** By the address: with which code it refuses it. */
  readonly refuses = new Map<string, number>();
  readonly #server: SMTPServer;

  constructor(options: { readonly password?: string } = {}) {
    this.#server = new SMTPServer({
      authOptional: options.password === undefined,
      disabledCommands: options.password === undefined ? ['STARTTLS', 'AUTH'] : [],
      onAuth: ({ password }, _session, done) => {
        if (password === options.password) done(null, { user: 'somebody' });
        else done(new Error('wrong password'));
      },
      onRcptTo: ({ address }, _session, done) => {
        const responseCode = this.refuses.get(address);
        done(responseCode === undefined ? null : Object.assign(new Error('not here'), { responseCode }));
      },
      onData: (stream, session, done) => {
        let text = '';
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        stream.on('end', () => {
          this.mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text });
          done();
        });
      },
    });
    // A client that refuses the certificate ends the connection: no fault of the server.
    this.#server.on('error', () => undefined);
  }

  async start(): Promise<number> {
    const server = this.#server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
