/**
 * The wire between the kernel's virtual USB host controller (vhci_hcd) and a device behind it: USB/IP after its import, as
 * Documentation/usb/usbip_protocol.rst of the kernel has it. Numbers are big-endian, except inside a set-up packet. Pure.
 */

/** What begins a control transfer (USB 2.0, 9.3). */
export type SetupPacket = {
  readonly requestType: number;
  readonly request: number;
  readonly value: number;
  readonly index: number;
  readonly length: number;
};

export type Submission = {
  readonly kind: 'submit';
  readonly sequence: number;
  readonly endpoint: number;
  readonly isIn: boolean;
  /** What comes from the host, or how much it has room for. */
  readonly data: Buffer;
  readonly roomBytes: number;
  readonly setup: SetupPacket;
  /** Of each packet the room, isochronous transfers only. */
  readonly packetBytes: readonly number[];
};

export type HostCommand =
  | Submission
  /** The host no longer wants to hear of that one. */
  | { readonly kind: 'unlink'; readonly sequence: number; readonly submission: number };

const headerBytes = 48;
const packetDescriptorBytes = 16;
const commands = { submit: 1, unlink: 2, submitted: 3, unlinked: 4 } as const;
/** More in one transfer than any driver asks for; beyond that the wire is broken. */
const maximumPackets = 1024;
const maximumTransferBytes = 1 << 20;

/** Errors as the kernel numbers them. */
export const status = { fine: 0, stalled: -32, unlinked: -104 } as const;

/** The first command, and what comes after it; null while it is not all there. @throws when that is no command */
export function takeCommand(bytes: Buffer): { readonly command: HostCommand; readonly rest: Buffer } | null {
  if (bytes.length < headerBytes) return null;
  const [code = 0, sequence = 0, , direction = 0, endpoint = 0] = [0, 4, 8, 12, 16].map((at) => bytes.readUInt32BE(at));
  if (code === commands.unlink) {
    return { command: { kind: 'unlink', sequence, submission: bytes.readUInt32BE(20) }, rest: bytes.subarray(headerBytes) };
  }
  const roomBytes = bytes.readUInt32BE(24);
  // Of a transfer that is not isochronous it is nought or all ones.
  const packets = bytes.readInt32BE(32) > 0 ? bytes.readInt32BE(32) : 0;
  if (code !== commands.submit || roomBytes > maximumTransferBytes || packets > maximumPackets) {
    throw new Error(`expected a command of the host, came ${bytes.subarray(0, headerBytes).toString('hex')}`);
  }
  const isIn = direction === 1;
  const dataEnd = headerBytes + (isIn ? 0 : roomBytes);
  const end = dataEnd + packets * packetDescriptorBytes;
  if (bytes.length < end) return null;
  const setup = {
    requestType: bytes.readUInt8(40),
    request: bytes.readUInt8(41),
    value: bytes.readUInt16LE(42),
    index: bytes.readUInt16LE(44),
    length: bytes.readUInt16LE(46),
  };
  const packetBytes = Array.from({ length: packets }, (_, packet) => bytes.readUInt32BE(dataEnd + packet * packetDescriptorBytes + 4));
  const data = bytes.subarray(headerBytes, dataEnd);
  return { command: { kind: 'submit', sequence, endpoint, isIn, data, roomBytes, setup, packetBytes }, rest: bytes.subarray(end) };
}

/** `given`: what the device gives for an IN transfer, or null for a stall. */
export function completion(submission: Submission, given: Buffer | null): Buffer {
  const data = given?.subarray(0, submission.roomBytes) ?? Buffer.alloc(0);
  const header = replyHeader(commands.submitted, submission.sequence);
  header.writeInt32BE(given === null ? status.stalled : status.fine, 20);
  header.writeUInt32BE(submission.isIn ? data.length : submission.roomBytes, 24);
  return Buffer.concat(submission.isIn ? [header, data] : [header]);
}

/** An isochronous IN transfer, each packet with what it carries. */
export function isochronousCompletion(submission: Submission, packets: readonly Buffer[]): Buffer {
  const header = replyHeader(commands.submitted, submission.sequence);
  header.writeUInt32BE(
    packets.reduce((sum, { length }) => sum + length, 0),
    24,
  );
  header.writeUInt32BE(packets.length, 32);
  let offset = 0;
  const descriptors = packets.map((packet, index) => {
    const room = submission.packetBytes[index] ?? 0;
    const descriptor = Buffer.alloc(packetDescriptorBytes);
    descriptor.writeUInt32BE(offset, 0);
    descriptor.writeUInt32BE(room, 4);
    descriptor.writeUInt32BE(packet.length, 8);
    offset += room;
    return descriptor;
  });
  return Buffer.concat([header, ...packets, ...descriptors]);
}

/** `wasPending`: else the transfer had been completed before the host changed its mind. */
export function unlinked(sequence: number, wasPending: boolean): Buffer {
  const header = replyHeader(commands.unlinked, sequence);
  header.writeInt32BE(wasPending ? status.unlinked : status.fine, 20);
  return header;
}

function replyHeader(code: number, sequence: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(code, 0);
  header.writeUInt32BE(sequence, 4);
  return header;
}
