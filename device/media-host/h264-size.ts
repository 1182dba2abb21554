/** The size of the picture, read from the sequence parameter set itself (ITU-T H.264, 7.3.2.1.1): what viewers really get. */

export type PictureSize = { readonly width: number; readonly height: number };

/** Of an AVCDecoderConfigurationRecord; null where it holds no readable parameter set. */
export function pictureSize(configuration: Uint8Array): PictureSize | null {
  // Five bytes of version, profile and level, one with the count, two with the length, one NAL unit header.
  const length = ((configuration[6] ?? 0) << 8) | (configuration[7] ?? 0);
  const isSequenceParameterSet = ((configuration[8] ?? 0) & 0x1f) === 7;
  if (length < 4 || configuration.length < 8 + length || !isSequenceParameterSet) return null;
  return readSize(new BitReader(withoutEmulationPrevention(configuration.subarray(9, 8 + length))));
}

const profilesWithChroma = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

function readSize(bits: BitReader): PictureSize | null {
  const profile = bits.read(8);
  bits.read(16);
  bits.readUnsigned();
  let chroma = 1;
  if (profilesWithChroma.includes(profile)) {
    chroma = bits.readUnsigned();
    if (chroma === 3) bits.read(1);
    bits.readUnsigned();
    bits.readUnsigned();
    bits.read(1);
    if (bits.read(1) === 1) skipScalingLists(bits, chroma);
  }
  bits.readUnsigned();
  const orderType = bits.readUnsigned();
  if (orderType === 0) bits.readUnsigned();
  else if (orderType === 1) skipOrderCycle(bits);
  bits.readUnsigned();
  bits.read(1);
  const widthInMacroblocks = bits.readUnsigned() + 1;
  const heightInMapUnits = bits.readUnsigned() + 1;
  const isFrameOnly = bits.read(1);
  if (isFrameOnly === 0) bits.read(1);
  bits.read(1);
  const isCropped = bits.read(1) === 1;
  const [left, right, top, bottom] = isCropped
    ? [bits.readUnsigned(), bits.readUnsigned(), bits.readUnsigned(), bits.readUnsigned()]
    : [0, 0, 0, 0];
  if (bits.isSpent) return null;
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = (chroma === 1 ? 2 : 1) * (2 - isFrameOnly);
  return {
    width: widthInMacroblocks * 16 - (left + right) * cropX,
    height: heightInMapUnits * 16 * (2 - isFrameOnly) - (top + bottom) * cropY,
  };
}

function skipScalingLists(bits: BitReader, chroma: number): void {
  for (let list = 0; list < (chroma === 3 ? 12 : 8); list += 1) {
    if (bits.read(1) === 0) continue;
    let last = 8;
    let next = 8;
    for (let entry = 0; entry < (list < 6 ? 16 : 64); entry += 1) {
      if (next !== 0) next = (last + bits.readSigned() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

function skipOrderCycle(bits: BitReader): void {
  bits.read(1);
  bits.readSigned();
  bits.readSigned();
  // The standard allows 255 entries.
  const entries = Math.min(bits.readUnsigned(), 255);
  for (let entry = 0; entry < entries; entry += 1) bits.readSigned();
}

/** 00 00 03 stands for 00 00 inside a NAL unit (7.4.1). */
function withoutEmulationPrevention(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, index) => !(byte === 3 && index >= 2 && bytes[index - 1] === 0 && bytes[index - 2] === 0));
}

class BitReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** More was read than there is; what was read beyond the end are zeros. */
  get isSpent(): boolean {
    return this.#position > this.#bytes.length * 8;
  }

  read(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit += 1) {
      const byte = this.#bytes[this.#position >> 3] ?? 0;
      value = value * 2 + ((byte >> (7 - (this.#position & 7))) & 1);
      this.#position += 1;
    }
    return value;
  }

  /** Exp-Golomb (9.1). */
  readUnsigned(): number {
    let zeros = 0;
    while (zeros < 32 && this.read(1) === 0) zeros += 1;
    return 2 ** zeros - 1 + this.read(zeros);
  }

  readSigned(): number {
    const code = this.readUnsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}
