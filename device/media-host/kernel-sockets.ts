/**
 * What the kernel still holds of our connections: `tx_queue` of /proc/net/tcp, which is all that the other side has not
 * acknowledged (proc(5)). The sink's own statistics would say less, and the binding leaks a kilobyte each time they are read.
 *
 * A look is not free: the kernel goes through its whole hash of connections, however few there are, and sizes it by the
 * machine's memory (262 144 places and 6 ms in 24 GB, 8192 places and 0.1 ms in 1 GB). So only the table that has the
 * connection is read, and no further than to its row, which mostly is where it was: for what a longer piece has room for the
 * kernel would go on.
 */
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { LookPace, shortestLookMs } from '#device/media-host/look-pace.ts';
import { ownPorts } from '#device/media-host/own-sockets.ts';
import { type PacketCounts, PacketsUnderWay, parsePacketCounts } from '#device/media-host/packets-under-way.ts';

export type SocketRow = {
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly isEstablished: boolean;
  readonly waitingBytes: number;
  /** Until the kernel takes a packet for lost; null for a connection that is not established. */
  readonly timeoutMs: number | null;
  readonly inode: string;
};

/** Two outputs that ask in the same moment share one look. */
const freshMs = 100;
/** A sink that closes its socket itself, as it does but for one case, has long done so. */
const lostAfterMs = 500;
/** For a server that can be reached, and its name, this is long. */
const otherHostMs = 300;
const established = '01';
/** In which /proc tells times, whatever the kernel's own ticks are: USER_HZ is 100 everywhere (time(7)). */
const tickMs = 10;
/** By so much the timeout is longer than a round trip (Linux's TCP_RTO_MIN), or by more where round trips differ or packets are lost. */
const leastPatienceMs = 200;

/** The rows of /proc/net/tcp or /proc/net/tcp6. Pure. */
export function parseSockets(table: string): readonly SocketRow[] {
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, localPort = ''] = (fields[1] ?? '').split(':');
    const [address = '', port] = (fields[2] ?? '').split(':');
    const inode = fields[9];
    if (port === undefined || inode === undefined) return [];
    const isEstablished = fields[3] === established;
    const timeoutTicks = Number.parseInt(fields[12] ?? '', 10);
    return [
      {
        localPort: Number.parseInt(localPort, 16),
        remoteAddress: readAddress(address),
        remotePort: Number.parseInt(port, 16),
        isEstablished,
        waitingBytes: Number.parseInt((fields[4] ?? '').split(':')[0] ?? '', 16) || 0,
        timeoutMs: isEstablished && timeoutTicks > 0 ? timeoutTicks * tickMs : null,
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

export const tables = ['tcp', 'tcp6'] as const;
export type Table = (typeof tables)[number];

/** A connection of ours: in which of the kernel's tables it stands, and its inode there. */
export type ClaimedSocket = { readonly table: Table; readonly inode: string };

/** A connection of ours from when it is begun until it is ended. */
export type Carrier = {
  readonly host: string;
  readonly port: number;
  readonly begunAtMs: number;
  soughtAtMs: number;
  isOpening: boolean;
  /** Null until it is known which one carries it. */
  socket: ClaimedSocket | null;
};

export type SocketSources = {
  /** In pieces, which the kernel makes only when they are asked for: the first one as long as is expected to be enough. */
  readonly readTable: (table: Table, expectedBytes: number) => Iterable<string>;
  /** Of all connections; null where the kernel does not say. */
  readonly packetCounts: () => PacketCounts | null;
  /** Inodes of the sockets that this process has open. */
  readonly ownInodes: () => ReadonlySet<string>;
  /** Local ports of those that carry no stream. */
  readonly otherPorts: () => ReadonlySet<number>;
  /** Of this process; nothing where it is not there any more. */
  readonly close: (inode: string) => void;
};

/** `bytes`: of the table, up to the last of these rows. */
type OwnRows = { readonly rows: ReadonlyMap<string, SocketRow>; readonly bytes: number };
type Look = OwnRows & { readonly atMs: number };

export class KernelSockets {
  readonly #sources: SocketSources;
  readonly #carriers = new Set<Carrier>();
  readonly #looks = new Map<Table, Look>();
  /** Ports to which a sink was stopped amid its connecting. */
  readonly #suspectPorts = new Set<number>();
  /** Sockets that no sink will ever close, by inode. */
  readonly #lost = new Map<string, { readonly port: number; readonly sinceMs: number }>();
  #isCloseDue = false;
  readonly #packets = new PacketsUnderWay();
  #hint = { atMs: Number.NEGATIVE_INFINITY, isMoreUnderWay: false };
  readonly #pace = new LookPace();

  constructor(sources: SocketSources = systemSockets) {
    this.#sources = sources;
  }

  /**
   * Where two connections to one port are on their way at once, nothing tells whose socket is whose. So the next one begins when
   * the one before is known by its socket, is open or is no more; to another host after a moment at the latest, as the former
   * host may not answer at all. Nor does one begin beside a lost one, which its server may hold for the publisher.
   */
  mayBegin({ host, port }: Pick<Carrier, 'host' | 'port'>, nowMs: number): boolean {
    if ([...this.#lost.values()].some((lost) => lost.port === port)) return false;
    const unknown = this.#unknown(port);
    const [only] = unknown;
    if (only !== undefined && unknown.length === 1 && nowMs - only.soughtAtMs >= freshMs) {
      only.soughtAtMs = nowMs;
      this.#recognise(only, []);
    }
    return !unknown.some(
      (carrier) => carrier.socket === null && carrier.isOpening && (carrier.host === host || nowMs - carrier.begunAtMs < otherHostMs),
    );
  }

  /** Ends with `end`. */
  begin(host: string, port: number, nowMs: number): Carrier {
    const carrier = { host, port, begunAtMs: nowMs, soughtAtMs: nowMs, isOpening: true, socket: null };
    this.#carriers.add(carrier);
    return carrier;
  }

  /**
   * Its sink is stopped. One that is stopped between the handshake and the server's word to its stream loses its socket, and never
   * closes it (rtmp2sink of GStreamer 1.22): the server has a publisher that sends nothing, and refuses the next one of the same name.
   */
  end(carrier: Carrier): void {
    this.#carriers.delete(carrier);
    if (!carrier.isOpening) return;
    this.#suspectPorts.add(carrier.port);
    this.#findLost(performance.now());
    this.#closeLostLater();
  }

  /** Those that have been lost for a while. */
  closeLost(nowMs: number): void {
    this.#findLost(nowMs);
    for (const [inode, { sinceMs }] of this.#lost) {
      if (nowMs - sinceMs < lostAfterMs) continue;
      this.#sources.close(inode);
      this.#lost.delete(inode);
    }
  }

  #closeLostLater(): void {
    if (this.#isCloseDue || (this.#suspectPorts.size === 0 && this.#lost.size === 0)) return;
    this.#isCloseDue = true;
    const close = (): void => {
      this.#isCloseDue = false;
      this.closeLost(performance.now());
      this.#closeLostLater();
    };
    setTimeout(close, lostAfterMs + 1).unref();
  }

  /** While another one to that port is not known by its socket, a lost one could be its. */
  #findLost(nowMs: number): void {
    for (const port of this.#suspectPorts) {
      if (this.#unknown(port).length > 0) continue;
      this.#suspectPorts.delete(port);
      for (const { row } of this.#nobodys(port)) this.#lost.set(row.inode, { port, sinceMs: nowMs });
    }
  }

  /**
   * Of a connection that is open: where only one socket to its port is nobody's, it is that one. Where several are, the addresses
   * of its host tell, if there are any; and if they do not, it stays unknown.
   */
  recognise(carrier: Carrier, addresses: readonly string[]): void {
    carrier.isOpening = false;
    if (carrier.socket === null) this.#recognise(carrier, addresses);
  }

  #recognise(carrier: Carrier, addresses: readonly string[]): void {
    const found = this.#nobodys(carrier.port).filter(({ row }) => row.isEstablished);
    const wanted = new Set(addresses.map(comparableAddress));
    const likely = found.length === 1 ? found : found.filter(({ row }) => wanted.has(row.remoteAddress));
    const [only] = likely;
    if (only === undefined || likely.length > 1) return;
    carrier.socket = { table: only.table, inode: only.row.inode };
    this.#looks.clear();
  }

  #unknown(port: number): readonly Carrier[] {
    return [...this.#carriers].filter((carrier) => carrier.port === port && carrier.socket === null);
  }

  #claimed(): readonly ClaimedSocket[] {
    return [...this.#carriers].flatMap(({ socket }) => socket ?? []);
  }

  /** Connections of ours to that port, but for those that are known or lost. */
  #nobodys(port: number): readonly { readonly table: Table; readonly row: SocketRow }[] {
    const own = this.#sources.ownInodes();
    const others = this.#sources.otherPorts();
    const claimed = new Set(this.#claimed().map(({ inode }) => inode));
    return tables.flatMap((table) =>
      parseSockets([...this.#sources.readTable(table, 0)].join(''))
        .filter(
          ({ inode, localPort, remotePort }) =>
            remotePort === port && own.has(inode) && !claimed.has(inode) && !this.#lost.has(inode) && !others.has(localPort),
        )
        .map((row) => ({ table, row })),
    );
  }

  /** Handed to the kernel and not acknowledged by the other side; null for a connection that is no more. */
  waitingBytes({ table, inode }: ClaimedSocket, nowMs: number): number | null {
    return this.#look(table, nowMs).get(inode)?.waitingBytes ?? null;
  }

  /** What the way there and back takes at most, as the kernel last saw it; null where that is not known. */
  roundTripMs({ table, inode }: ClaimedSocket, nowMs: number): number | null {
    const timeoutMs = this.#look(table, nowMs).get(inode)?.timeoutMs ?? null;
    return timeoutMs === null ? null : Math.max(0, timeoutMs - leastPatienceMs);
  }

  /** From one look to the next; at one that keeps up as at one that does not, where something tells that it may not any more. */
  lookIntervalMs(isBehind: boolean, nowMs: number): number {
    const intervalMs = this.longestIntervalMs(isBehind);
    return intervalMs > shortestLookMs && !isBehind && this.#isMoreUnderWay(nowMs) ? this.longestIntervalMs(true) : intervalMs;
  }

  /** From one look to the next at most. */
  longestIntervalMs(isBehind: boolean): number {
    return this.#pace.intervalMs(isBehind);
  }

  #isMoreUnderWay(nowMs: number): boolean {
    if (nowMs - this.#hint.atMs < freshMs) return this.#hint.isMoreUnderWay;
    const counts = this.#sources.packetCounts();
    this.#hint = { atMs: nowMs, isMoreUnderWay: counts !== null && this.#packets.add(counts) };
    return this.#hint.isMoreUnderWay;
  }

  #look(table: Table, nowMs: number): Look['rows'] {
    const former = this.#looks.get(table);
    if (former !== undefined && nowMs - former.atMs < freshMs) return former.rows;
    const begunMs = performance.now();
    const found = this.#findRows(table, former?.bytes ?? 0);
    this.#pace.note(performance.now() - begunMs);
    this.#looks.set(table, { atMs: nowMs, ...found });
    return found.rows;
  }

  #findRows(table: Table, expectedBytes: number): OwnRows {
    const rows = new Map<string, SocketRow>();
    const wanted = new Set(this.#claimed().flatMap((socket) => (socket.table === table ? [socket.inode] : [])));
    let bytes = 0;
    let goneBytes = 0;
    let begun = '';
    for (const piece of this.#sources.readTable(table, expectedBytes)) {
      const text = begun + piece;
      const length = text.lastIndexOf('\n') + 1;
      const lines = text.slice(0, length);
      for (const inode of wanted) {
        const found = findRow(lines, inode);
        if (found === null) continue;
        wanted.delete(inode);
        rows.set(inode, found.row);
        bytes = Math.max(bytes, goneBytes + found.end);
      }
      if (wanted.size === 0) break;
      goneBytes += length;
      begun = text.slice(length);
    }
    return { rows, bytes };
  }
}

/** Most rows are other programs': they are not worth taking apart. `end`: where the next row begins. */
function findRow(lines: string, inode: string): { readonly row: SocketRow; readonly end: number } | null {
  const field = ` ${inode} `;
  for (let at = lines.indexOf(field); at !== -1; at = lines.indexOf(field, at + 1)) {
    const end = lines.indexOf('\n', at) + 1;
    const [row] = parseSockets(lines.slice(lines.lastIndexOf('\n', at) + 1, end));
    if (row?.inode === inode) return { row, end };
  }
  return null;
}

const systemSockets: SocketSources = {
  readTable: (table, expectedBytes) => readPieces(`/proc/self/net/${table}`, expectedBytes),
  packetCounts: readPacketCounts,
  ownInodes: () => {
    const links = readdirSync('/proc/self/fd').map((name) => linkOrEmpty(`/proc/self/fd/${name}`));
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  },
  otherPorts: ownPorts,
  close: (inode) => {
    const name = readdirSync('/proc/self/fd').find((fd) => linkOrEmpty(`/proc/self/fd/${fd}`) === `socket:[${inode}]`);
    // A handle of Node's closes what it is given.
    if (name !== undefined) new Socket({ fd: Number(name), readable: false, writable: false }).destroy();
  },
};

const smallestPieceBytes = 600;
/** The kernel gives no more at once. */
const largestPieceBytes = 4096;

/**
 * Beyond what is expected small pieces first: the kernel looks for as many rows as a piece has room for. A kernel without IPv6 has no
 * table of it.
 */
function* readPieces(path: string, expectedBytes: number): Iterable<string> {
  const file = openOrNull(path);
  if (file === null) return;
  try {
    let expected = expectedBytes;
    let beyond = smallestPieceBytes;
    for (;;) {
      const piece = Buffer.allocUnsafe(Math.min(largestPieceBytes, expected > 0 ? expected : beyond));
      const length = readSync(file, piece, 0, piece.length, null);
      if (length === 0) return;
      yield piece.toString('latin1', 0, length);
      if (expected > 0) expected -= length;
      else beyond *= 2;
    }
  } finally {
    closeSync(file);
  }
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    return null;
  }
}

const netstat = { file: null as number | null, content: Buffer.alloc(16 * 1024) };

/** The file stays open: to open it would cost more than to read it, which the kernel answers anew each time. */
function readPacketCounts(): PacketCounts | null {
  netstat.file ??= openOrNull('/proc/self/net/netstat');
  if (netstat.file === null) return null;
  return parsePacketCounts(netstat.content.toString('latin1', 0, readSync(netstat.file, netstat.content, 0, netstat.content.length, 0)));
}

/** It was closed between the listing and the reading. */
function linkOrEmpty(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
