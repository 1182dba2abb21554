/**
 * What the kernel still holds of our connections: `tx_queue` of /proc/net/tcp, which is all that the other side has not
 * acknowledged (proc(5)). The sink's own statistics would say less, and the binding leaks a kilobyte each time they are read.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type SocketRow = {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly isEstablished: boolean;
  readonly waitingBytes: number;
  readonly inode: string;
};

/** Two outputs that ask in the same moment share one look. */
const freshMs = 100;
const established = '01';

/** The rows of /proc/net/tcp or /proc/net/tcp6. Pure. */
export function parseSockets(table: string): readonly SocketRow[] {
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [address = '', port] = (fields[2] ?? '').split(':');
    const inode = fields[9];
    if (port === undefined || inode === undefined) return [];
    return [
      {
        remoteAddress: readAddress(address),
        remotePort: Number.parseInt(port, 16),
        isEstablished: fields[3] === established,
        waitingBytes: Number.parseInt((fields[4] ?? '').split(':')[0] ?? '', 16) || 0,
        inode,
      },
    ];
  });
}

/** The kernel prints words of 32 bits in the machine's own order; all machines that we run on are little-endian. */
function readAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length % 4 !== 0 || bytes.length === 0) return '';
  const plain = bytes.swap32();
  if (plain.length === 4) return [...plain].join('.');
  const isMapped = plain.subarray(0, 10).every((byte) => byte === 0) && plain[10] === 0xff && plain[11] === 0xff;
  return isMapped ? [...plain.subarray(12)].join('.') : plain.toString('hex');
}

/** `2001:db8::1` as the 32 digits of a row; an IPv4 address stays as it is. */
export function comparableAddress(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const words = (text: string) => text.split(':').filter((word) => word !== '');
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  const zeros: string[] = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].map((word) => word.padStart(4, '0')).join('');
}

export type SocketSources = {
  readonly readTables: () => string;
  /** Inodes of the sockets that this process has open. */
  readonly ownInodes: () => ReadonlySet<string>;
};

export class KernelSockets {
  readonly #sources: SocketSources;
  readonly #claimed = new Set<string>();
  #rows: ReadonlyMap<string, SocketRow> = new Map();
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(sources: SocketSources = systemSockets) {
    this.#sources = sources;
  }

  /**
   * The inode of a connection of ours to that port which nobody has claimed, best of all to one of the addresses; null where
   * there is none. A claim ends with `release`.
   */
  claim(port: number, addresses: readonly string[]): string | null {
    const own = this.#sources.ownInodes();
    const wanted = new Set(addresses.map(comparableAddress));
    const found = parseSockets(this.#sources.readTables()).filter(
      ({ inode, remotePort, isEstablished }) => isEstablished && remotePort === port && own.has(inode) && !this.#claimed.has(inode),
    );
    const best = found.find(({ remoteAddress }) => wanted.has(remoteAddress)) ?? found[0];
    if (best === undefined) return null;
    this.#claimed.add(best.inode);
    return best.inode;
  }

  release(inode: string): void {
    this.#claimed.delete(inode);
  }

  /** Handed to the kernel and not acknowledged by the other side; null for a connection that is no more. */
  waitingBytes(inode: string, nowMs: number): number | null {
    if (nowMs - this.#readAtMs >= freshMs) {
      this.#rows = new Map(
        parseSockets(this.#sources.readTables()).flatMap((row) => (this.#claimed.has(row.inode) ? [[row.inode, row]] : [])),
      );
      this.#readAtMs = nowMs;
    }
    return this.#rows.get(inode)?.waitingBytes ?? null;
  }
}

const systemSockets: SocketSources = {
  readTables: () => `${readOrEmpty('/proc/self/net/tcp')}\n${readOrEmpty('/proc/self/net/tcp6')}`,
  ownInodes: () => {
    const links = readdirSync('/proc/self/fd').map((name) => linkOrEmpty(`/proc/self/fd/${name}`));
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  },
};

/** A kernel without IPv6 has no table of it. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** It was closed between the listing and the reading. */
function linkOrEmpty(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
