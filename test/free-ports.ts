/**
 * Ports for servers that must be told theirs before they start. They lie below those that the kernel gives away by itself, and each worker of
 * the tests has a place of its own and goes on from there: between the look and the server's start, and while a test has its server away, nobody
 * else takes one.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** The kernel's own begin at 32768 (net.ipv4.ip_local_port_range). */
const firstPort = 10_000;
const blocks = 50;
const blockPorts = 440;
/**
 * The workers of one run have one parent and are numbered from 1. Their own process numbers would not do: each is some dozen after the one
 * before it, by its threads, so that two of one run may meet.
 */
const block = (process.ppid * 11 + Number(process.env['VITEST_POOL_ID'] ?? 0)) % blocks;
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
