/**
 * Which demuxer reads a file, by its first bytes. Pure.
 *
 * INVARIANT: only what holds pictures and sound itself. A playlist or a description of a session names other files and
 * addresses; GStreamer, left to find out by itself, would open them.
 */

export type Container = 'qtdemux' | 'matroskademux' | 'oggdemux' | 'flvdemux' | 'avidemux' | 'tsdemux';

/** So many bytes are looked at. */
export const sniffedBytes = 4 * 188 + 1;
const packetBytes = 188;
/** Boxes that an ISO or QuickTime file may begin with. */
const firstBoxes: readonly string[] = ['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide', 'pnot', 'styp'];

export function containerOf(head: Buffer): Container | null {
  const text = (from: number, to: number) => head.toString('latin1', from, to);
  if (firstBoxes.includes(text(4, 8))) return 'qtdemux';
  if (text(0, 4) === '\x1a\x45\xdf\xa3') return 'matroskademux';
  if (text(0, 4) === 'OggS') return 'oggdemux';
  if (text(0, 4) === 'FLV\x01') return 'flvdemux';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'AVI ') return 'avidemux';
  const isTransportStream = head.length >= sniffedBytes && [0, 1, 2, 3, 4].every((packet) => head[packet * packetBytes] === 0x47);
  return isTransportStream ? 'tsdemux' : null;
}
