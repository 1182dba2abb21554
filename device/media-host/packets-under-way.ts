/**
 * Whether more packets of this machine are under way than of late: the kernel counts all that its connections sent and all that
 * arrived (TcpExt's TCPOrigDataSent and TCPDelivered of /proc/net/netstat, both since Linux 4.18). Reading them costs a fiftieth of a
 * look at its connections, and tells of no single one: so it says when a look is worth it, and no more.
 */

export type PacketCounts = { readonly sent: number; readonly delivered: number };

/** A way that keeps up has these now and then, too. */
const usualPackets = 4;
/** A reading. What a connection had under way when it was ended stays in the difference for ever. */
const drift = 0.5;

/** Null where a count is missing. Pure. */
export function parsePacketCounts(netstat: string): PacketCounts | null {
  const [names, values] = netstat.split('\n', 2).map((line) => line.split(' '));
  const [sent, delivered] = ['TCPOrigDataSent', 'TCPDelivered'].map((name) => Number(values?.[names?.indexOf(name) ?? -1]));
  return Number.isFinite(sent) && Number.isFinite(delivered) ? { sent: Number(sent), delivered: Number(delivered) } : null;
}

export class PacketsUnderWay {
  #least: number | null = null;

  /** Whether they are more than of late. Packets that open and end a connection are delivered only: the difference hangs on that, too. */
  add({ sent, delivered }: PacketCounts): boolean {
    const underWay = sent - delivered;
    this.#least = Math.min(underWay, (this.#least ?? underWay) + drift);
    return underWay > this.#least + usualPackets;
  }
}
