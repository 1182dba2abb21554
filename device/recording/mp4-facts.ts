/**
 * What an MP4 file says of itself (ISO/IEC 14496-12): enough to know that a conversion lost nothing. Read from the file's own
 * tables, because a device has no ffprobe.
 */
import { type FileHandle, open } from 'node:fs/promises';

export type Mp4Track = { readonly kind: 'video' | 'audio' | 'other'; readonly samples: number; readonly durationMs: number };
export type Mp4Facts = {
  readonly tracks: readonly Mp4Track[];
  readonly durationMs: number;
  /** The tables stand before the pictures: a player over the network can start at once. */
  readonly isFastStart: boolean;
  /** The pictures are all there as far as the file's own boxes tell. */
  readonly isWhole: boolean;
};

/** Tables of an hour at 60 frames a second are some 5 MB. */
const maximumTablesBytes = 64 * 1024 * 1024;
const maximumBoxes = 1000;

type Box = { readonly type: string; readonly offset: number; readonly headerBytes: number; readonly bytes: number };

/** Null for what is no MP4 file with tables. */
export async function readMp4Facts(path: string): Promise<Mp4Facts | null> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const boxes = await topLevelBoxes(handle, size);
    const tables = boxes.find(({ type }) => type === 'moov');
    const pictures = boxes.find(({ type }) => type === 'mdat');
    const last = boxes.at(-1);
    if (tables === undefined || pictures === undefined || last === undefined || tables.bytes > maximumTablesBytes) return null;
    const content = Buffer.alloc(tables.bytes - tables.headerBytes);
    await handle.read(content, 0, content.length, tables.offset + tables.headerBytes);
    return {
      ...readTables(content),
      isFastStart: tables.offset < pictures.offset,
      isWhole: last.offset + last.bytes === size,
    };
  } finally {
    await handle.close();
  }
}

async function topLevelBoxes(handle: FileHandle, size: number): Promise<readonly Box[]> {
  const boxes: Box[] = [];
  const header = Buffer.alloc(16);
  for (let offset = 0; offset < size && boxes.length < maximumBoxes; ) {
    const { bytesRead } = await handle.read(header, 0, header.length, offset);
    const box = readBox(header.subarray(0, bytesRead), offset, size - offset);
    if (box === null) break;
    boxes.push(box);
    offset += box.bytes;
  }
  return boxes;
}

/** A size of 1 is followed by one of 64 bits; 0 means up to the end. */
function readBox(header: Buffer, offset: number, leftBytes: number): Box | null {
  if (header.length < 8) return null;
  const short = header.readUInt32BE(0);
  const isLong = short === 1 && header.length >= 16;
  const bytes = isLong ? Number(header.readBigUInt64BE(8)) : short === 0 ? leftBytes : short;
  const headerBytes = isLong ? 16 : 8;
  if (bytes < headerBytes) return null;
  return { type: header.toString('latin1', 4, 8), offset, headerBytes, bytes };
}

function readTables(content: Buffer): Pick<Mp4Facts, 'tracks' | 'durationMs'> {
  const movie = childOf(content, 'mvhd');
  const tracks = childrenOf(content)
    .filter(({ type }) => type === 'trak')
    .map(({ content: track }) => readTrack(track));
  return { tracks, durationMs: movie === null ? 0 : readDuration(movie) };
}

function readTrack(track: Buffer): Mp4Track {
  const media = childOf(track, 'mdia') ?? Buffer.alloc(0);
  const handler = childOf(media, 'hdlr')?.toString('latin1', 8, 12);
  const kind = handler === 'vide' ? 'video' : handler === 'soun' ? 'audio' : 'other';
  const table = childOf(childOf(media, 'minf') ?? Buffer.alloc(0), 'stbl') ?? Buffer.alloc(0);
  const sizes = childOf(table, 'stsz');
  const header = childOf(media, 'mdhd');
  return {
    kind,
    samples: sizes === null || sizes.length < 12 ? 0 : sizes.readUInt32BE(8),
    durationMs: header === null ? 0 : readDuration(header),
  };
}

/** `mvhd` and `mdhd` begin alike: version 0 has times of 32 bits, version 1 of 64. */
function readDuration(header: Buffer): number {
  const isLong = header[0] === 1;
  if (header.length < (isLong ? 32 : 20)) return 0;
  const perSecond = header.readUInt32BE(isLong ? 20 : 12);
  const duration = isLong ? Number(header.readBigUInt64BE(24)) : header.readUInt32BE(16);
  return perSecond === 0 ? 0 : Math.round((duration * 1000) / perSecond);
}

function childOf(content: Buffer, wanted: string): Buffer | null {
  return childrenOf(content).find(({ type }) => type === wanted)?.content ?? null;
}

function childrenOf(content: Buffer): readonly { readonly type: string; readonly content: Buffer }[] {
  const children: { type: string; content: Buffer }[] = [];
  for (let offset = 0; offset < content.length && children.length < maximumBoxes; ) {
    const box = readBox(content.subarray(offset, offset + 16), offset, content.length - offset);
    if (box === null) break;
    children.push({ type: box.type, content: content.subarray(offset + box.headerBytes, offset + box.bytes) });
    offset += box.bytes;
  }
  return children;
}
