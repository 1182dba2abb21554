/** The fleet server as a process of its own, started as the start program does. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-ports.ts';

export const serverProgram = fileURLToPath(new URL('../../.build/server/fleet-server.js', import.meta.url));

export type Ready = { readonly url: string; readonly rtmpUrl: string; readonly firstAdminPassword?: string };
export type RunningServer = {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ready: Promise<Ready>;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
};

export async function environmentFor(directory: string, changes: Record<string, string> = {}): Promise<NodeJS.ProcessEnv> {
  return {
    PATH: process.env['PATH'],
    HOME: directory,
    FLEET_DATA_DIR: directory,
    FLEET_HTTP_HOST: '127.0.0.1',
    FLEET_HTTP_PORT: String(await freePort()),
    FLEET_MQTT_PORT: String(await freePort()),
    FLEET_RTMP_PORT: String(await freePort()),
    ...changes,
  };
}

export function startServer(
  environment: NodeJS.ProcessEnv,
  argumentList: readonly string[] = [],
  execArgv: readonly string[] = process.execArgv,
): RunningServer {
  const child = fork(serverProgram, argumentList, { env: environment, execArgv: [...execArgv], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  // Not `close`: it never comes once a parent has called disconnect().
  const ends = [child.stdout, child.stderr].map((stream) => (stream === null ? undefined : once(stream, 'end')));
  const exit = once(child, 'exit').then(async ([code, signal]: (number | string | null)[]) => {
    // A relay that outlives a killed server holds the other end of these: what the server itself wrote is there by then.
    if (signal === null) await Promise.all(ends);
    return { code: typeof code === 'number' ? code : null, signal: typeof signal === 'string' ? signal : null };
  });
  const ready = new Promise<Ready>((resolve, reject) => {
    child.on('message', (message: Ready & { readonly kind: string }) => {
      if (message.kind === 'ready') resolve(message);
    });
    void exit.then(() => reject(new Error(`the server ended before it was ready: ${output}`)));
  });
  ready.catch(() => {});
  return { child, output: () => output, ready, exit };
}
