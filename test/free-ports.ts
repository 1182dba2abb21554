/**
 * Ports for servers that must be told theirs before they start. They lie below those that the kernel gives away by itself, each process and
 * each worker of the tests begins at a place of its own and goes on from there: between the look and the server's start nobody else takes one.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** The kernel's own begin at 32768 (net.ipv4.ip_local_port_range). */
const firstPort = 10_000;
const blocks = 100;
const blockPorts = 220;
/** Workers of one run may be threads of one process, or processes whose numbers follow each other. */
const block = (process.pid + Number(process.env['VITEST_POOL_ID'] ?? 0) * 37) % blocks;
let next = 0;

/** A port that nobody listens on, at any address of this machine. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < blockPorts; tried += 1) {
    const port = firstPort + block * blockPorts + (next % blockPorts);
    next += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`expected a free port among the ${blockPorts} from ${firstPort + block * blockPorts}, found none`);
}

export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let index = 0; index < count; index += 1) ports.push(await freePort());
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '0.0.0.0');
  try {
    await once(server, 'listening');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE') return false;
    throw cause;
  }
  await once(server.close(), 'close');
  return true;
}
