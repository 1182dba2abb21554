/**
 * Whether the body of a video tag can be what was written: its NAL units fill it exactly, and none holds a run of zeros, which a decoder
 * would take for a start code (ITU-T H.264, 7.4.1) and a file system leaves where nothing was written. Pure.
 */
const tagHeaderBytes = 11;
/** Frame type and codec, packet type, three bytes of composition time. */
const avcHeaderBytes = 5;
const tagTrailerBytes = 4;
const lengthBytes = 4;
const avcCodec = 7;
const avcPicture = 1;
/** Three would do by the letter; some encoders are careless, and some fill up the end of a unit. */
const zeros = Buffer.alloc(16);

/** `tag`: a whole one of video. What is no picture of AVC is not looked into. */
export function isPictureWhole(tag: Buffer): boolean {
  if (((tag[tagHeaderBytes] ?? 0) & 0x0f) !== avcCodec || tag[tagHeaderBytes + 1] !== avcPicture) return true;
  const end = tag.length - tagTrailerBytes;
  let offset = tagHeaderBytes + avcHeaderBytes;
  while (offset < end) {
    if (offset + lengthBytes >= end) return false;
    const next = offset + lengthBytes + tag.readUInt32BE(offset);
    if (next > end || next === offset + lengthBytes || hasZeros(tag.subarray(offset + lengthBytes, next))) return false;
    offset = next;
  }
  return offset === end;
}

/** Other than at its end. */
function hasZeros(unit: Buffer): boolean {
  const found = unit.indexOf(zeros);
  return found !== -1 && unit.subarray(found).some((byte) => byte !== 0);
}
