/** FLV tags made by hand, no larger than what is looked at. */
import { type PlacedTag, parseTag, type Tag } from '#device/media-host/flv.ts';

type Kind = 'script' | 'video-header' | 'audio-header' | 'keyframe' | 'frame' | 'sound' | 'end';

const types = { script: 18, 'video-header': 9, 'audio-header': 8, keyframe: 9, frame: 9, sound: 8, end: 9 } as const;
const bodies: Readonly<Record<Kind, readonly number[]>> = {
  script: [2, 0, 10],
  'video-header': [0x17, 0],
  'audio-header': [0xaf, 0],
  keyframe: [0x17, 1],
  frame: [0x27, 1],
  sound: [0xaf, 1],
  end: [0x17, 2],
};

/** `bytes` counts the whole tag. */
export function tagBytes(kind: Kind, timestampMs = 0, bytes = 40): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer[0] = types[kind];
  buffer.writeUIntBE(bytes - 15, 1, 3);
  buffer.writeUIntBE(timestampMs & 0xffffff, 4, 3);
  buffer[7] = timestampMs >>> 24;
  buffer.set(bodies[kind], 11);
  // One NAL unit that fills the picture's body.
  if (kind === 'keyframe' || kind === 'frame') buffer.fill(kind === 'keyframe' ? 0x65 : 0x41, 20).writeUInt32BE(bytes - 24, 16);
  buffer.writeUInt32BE(bytes - 4, bytes - 4);
  return buffer;
}

export function makeTag(kind: Kind, timestampMs = 0, bytes = 40): PlacedTag {
  const tag = parseTag(tagBytes(kind, timestampMs, bytes));
  if (tag === null) throw new Error('expected the bytes to be a tag');
  return { ...tag, placedAtMs: timestampMs };
}

/** As short words, in order: S script, V and A headers, K keyframe, f frame, s sound, each with its time. */
export function spell(tags: readonly Tag[]): string {
  return tags.map((tag) => `${letter(tag)}${tag.timestampMs}`).join(' ');
}

/** `K0 f33 s40` as tags. */
export function read(text: string, bytes = 40): PlacedTag[] {
  const kinds: Readonly<Record<string, Kind>> = {
    S: 'script',
    V: 'video-header',
    A: 'audio-header',
    K: 'keyframe',
    f: 'frame',
    s: 'sound',
  };
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => makeTag(kinds[word[0] ?? ''] ?? 'script', Number(word.slice(1)), bytes));
}

function letter({ kind, isHeader, isKeyframe }: Tag): string {
  if (kind === 'script') return 'S';
  if (kind === 'audio') return isHeader ? 'A' : 's';
  if (isHeader) return 'V';
  return isKeyframe ? 'K' : 'f';
}
