/**
 * nginx asks here who may publish and who may play, over a unix socket in the relay's own folder: nothing of it can be reached
 * through the network, and the port of the HTTP server may change under an nginx that goes on.
 *
 * The body of a question is a form in which nginx puts its own fields first and appends what the client wrote after the "?"
 * of the stream's name as it came. So the first field of a name counts: a second `name` is the client's doing.
 */
import { chmod, chown, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { relayApplication } from '#fleet-server/relay/nginx-config.ts';
import type { WorkerUser } from '#fleet-server/relay/runtime-directory.ts';
import { isDeviceId } from '#protocol/identifiers.ts';

const maxBodyBytes = 16_384;

export type Question =
  | { readonly kind: 'publish'; readonly deviceId: string; readonly key: string; readonly address: string }
  | { readonly kind: 'publish-done'; readonly deviceId: string }
  | { readonly kind: 'play'; readonly deviceId: string; readonly ticket: string };

export function parseQuestion(kind: string, body: string): Question | undefined {
  const form = new URLSearchParams(body);
  const deviceId = form.get('name') ?? '';
  if (form.get('app') !== relayApplication || !isDeviceId(deviceId)) return undefined;
  switch (kind) {
    case 'publish':
      return { kind, deviceId, key: form.get('key') ?? '', address: form.get('addr') ?? 'unknown' };
    case 'publish-done':
      return { kind, deviceId };
    case 'play':
      return { kind, deviceId, ticket: form.get('ticket') ?? '' };
    default:
      return undefined;
  }
}

export class RelayCallbacks {
  readonly #socketPath: string;
  readonly #secret: string;
  readonly #workerUser: WorkerUser | null;
  readonly #answer: (question: Question) => boolean | Promise<boolean>;
  #server: Server | undefined;

  constructor(options: {
    readonly socketPath: string;
    readonly secret: string;
    readonly workerUser: WorkerUser | null;
    /** Whether it is allowed. */
    readonly answer: (question: Question) => boolean | Promise<boolean>;
  }) {
    this.#socketPath = options.socketPath;
    this.#secret = options.secret;
    this.#workerUser = options.workerUser;
    this.#answer = options.answer;
  }

  async start(): Promise<void> {
    // The socket of a server that was killed is still there.
    await rm(this.#socketPath, { force: true });
    const server = createServer({ requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 1 }, (request, answer) => {
      this.#status(request).then(
        (status) => answer.writeHead(status).end(),
        () => answer.writeHead(500).end(),
      );
    });
    server.maxConnections = 256;
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#socketPath, resolve);
    });
    if (this.#workerUser !== null) await chown(this.#socketPath, this.#workerUser.uid, this.#workerUser.gid);
    await chmod(this.#socketPath, 0o600);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async #status(request: IncomingMessage): Promise<number> {
    const [, secret, kind, ...rest] = (request.url ?? '').split('/');
    if (request.method !== 'POST' || secret !== this.#secret || kind === undefined || rest.length > 0) return 404;
    const body = await readBody(request);
    const question = body === undefined ? undefined : parseQuestion(kind, body);
    if (question === undefined) return 403;
    return (await this.#answer(question)) ? 200 : 403;
  }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
