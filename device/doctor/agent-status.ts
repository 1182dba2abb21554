/**
 * What a running agent says of itself on its own machine: one line of JSON for whoever connects to `agent.sock` (mode 0600) in
 * its state directory, or where that cannot be written in what stands in for it; then the connection ends. It holds no secret.
 */
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { foundStandIns, runtimeDirectories } from '#device/state/runtime-directory.ts';
import { compile } from '#protocol/compile.ts';
import { Health } from '#protocol/messages.ts';

export const AgentStatus = Type.Object({
  processId: Type.Integer({ minimum: 1 }),
  /** Null: it belongs to no fleet. */
  isConnected: Type.Union([Type.Boolean(), Type.Null()]),
  /** Null: it has only just started. */
  health: Type.Union([Health, Type.Null()]),
});
export type AgentStatus = Static<typeof AgentStatus>;

const validator = compile('agent-status', AgentStatus);
const maxAnswerBytes = 256 * 1024;
const answerBoundMs = 2000;

export function statusSocket(stateDirectory: string): string {
  return join(stateDirectory, 'agent.sock');
}

export class StatusDoor {
  readonly #status: () => AgentStatus;
  #server: Server | null = null;
  #opening: Promise<void> = Promise.resolve();

  constructor(status: () => AgentStatus) {
    this.#status = status;
  }

  /** Rejects when there is no place for it. The lock of the state directory is held, so a socket that is there is a dead one's. */
  open(stateDirectory: string): Promise<void> {
    this.#opening = this.#open(stateDirectory);
    return this.#opening;
  }

  async #open(stateDirectory: string): Promise<void> {
    const [directory = stateDirectory] = await runtimeDirectories(stateDirectory);
    const path = statusSocket(directory);
    await rm(path, { force: true });
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`${JSON.stringify(this.#status())}\n`);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    server.unref();
    this.#server = server;
    await chmod(path, 0o600);
  }

  /** May be called twice, and while it is being opened. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#opening]);
    this.#server?.close();
    this.#server = null;
  }
}

/** Null when no agent answers there. */
export async function askAgent(stateDirectory: string): Promise<AgentStatus | null> {
  for (const directory of [stateDirectory, ...(await foundStandIns(stateDirectory))]) {
    const status = await ask(statusSocket(directory));
    if (status !== null) return status;
  }
  return null;
}

function ask(path: string): Promise<AgentStatus | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (status: AgentStatus | null) => {
      socket.destroy();
      resolve(status);
    };
    socket.setTimeout(answerBoundMs, () => settle(null));
    socket.on('error', () => settle(null));
    socket.on('data', (chunk) => {
      bytes += chunk.byteLength;
      if (bytes > maxAnswerBytes) settle(null);
      else chunks.push(chunk);
    });
    socket.on('end', () => settle(parseStatus(Buffer.concat(chunks).toString('utf8'))));
  });
}

function parseStatus(text: string): AgentStatus | null {
  try {
    const value: unknown = JSON.parse(text);
    return validator.Check(value) ? value : null;
  } catch {
    // Another version's words, or none: as good as no answer.
    return null;
  }
}
