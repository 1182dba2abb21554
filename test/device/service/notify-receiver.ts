/** The far end of NOTIFY_SOCKET, as systemd is one: Node has no datagram socket, Python has. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from '../../until.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

/** Takes the barrier's descriptors and closes them, which is what systemd-notify waits for (sd_notify_barrier(3)). */
const program = `
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
print("listening", flush=True)
while True:
    data, ancillary, flags, address = server.recvmsg(4096, socket.CMSG_SPACE(16 * 4))
    for level, kind, content in ancillary:
        if kind == socket.SCM_RIGHTS:
            descriptors = array.array("i")
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
            for descriptor in descriptors:
                os.close(descriptor)
    for line in data.decode().splitlines():
        print(line, flush=True)
`;

export const canReceive =
  spawnSync('python3', ['-c', ''], { stdio: 'ignore' }).status === 0 &&
  spawnSync('systemd-notify', ['--version'], { stdio: 'ignore' }).status === 0;

export type NotifyReceiver = { readonly socket: string; readonly lines: string[]; readonly countOf: (line: string) => number };

export async function startReceiver(): Promise<NotifyReceiver> {
  const socket = join(await temporaryDirectory(), 'notify.sock');
  const child: ChildProcess = spawn('python3', ['-c', program, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  child.stdout?.on('data', (chunk) => {
    lines.push(
      ...String(chunk)
        .split('\n')
        .filter((line) => line !== '' && line !== 'BARRIER=1'),
    );
  });
  await until('the receiver to listen', 10_000, () => lines.includes('listening'));
  return { socket, lines, countOf: (wanted) => lines.filter((line) => line === wanted).length };
}
