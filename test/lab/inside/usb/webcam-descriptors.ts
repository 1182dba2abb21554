/**
 * What a webcam with a microphone says of itself when it is plugged in (USB 2.0 chapter 9, Video Class 1.0, Audio Class 1.0). Its
 * pictures travel in bulk transfers, which the class allows and few webcams use: those that do need no bandwidth of the bus. Pure.
 */

export type WebcamModel = {
  /** Vendor and product, "046d:0825". */
  readonly usbId: string;
  readonly name: string;
  /** Null: it has none, as cheap ones have. */
  readonly serial: string | null;
};

/** The one size that it knows, as JPEG. */
export const picture = { width: 320, height: 180, longestBytes: 16_000 } as const;
/** In 100 ns, as the class counts: 30 and 15 frames a second. */
export const frameIntervals: readonly number[] = [333_333, 666_666];
export const sampleRates: readonly number[] = [16_000, 32_000, 48_000];
export const endpoints = { video: 1, audio: 2 } as const;
export const videoStreamingInterface = 1;

const descriptorTypes = {
  device: 1,
  configuration: 2,
  string: 3,
  interface: 4,
  endpoint: 5,
  association: 11,
  class: 0x24,
  classEndpoint: 0x25,
};
const inDirection = 0x80;
const strings = { none: 0, serial: 1, product: 2 } as const;
const audioPacketBytes = 100;

const two = (value: number): readonly number[] => [value & 0xff, (value >> 8) & 0xff];
const three = (value: number): readonly number[] => [...two(value), (value >> 16) & 0xff];
const four = (value: number): readonly number[] => [...three(value), (value >> 24) & 0xff];
/** Each begins with its own length. */
const descriptor = (...bytes: readonly number[]): readonly number[] => [bytes.length + 1, ...bytes];

/** Null: it has none of that kind, and stalls. */
export function readDescriptor(model: WebcamModel, type: number, index: number): Buffer | null {
  if (type === descriptorTypes.device) return Buffer.from(device(model));
  if (type === descriptorTypes.configuration) return Buffer.from(configuration());
  if (type !== descriptorTypes.string) return null;
  // The first lists the languages: English.
  if (index === strings.none) return Buffer.from(descriptor(descriptorTypes.string, ...two(0x0409)));
  const text = index === strings.product ? model.name : model.serial;
  return text === null ? null : Buffer.from(descriptor(descriptorTypes.string, ...Buffer.from(text, 'utf16le')));
}

function device({ usbId, serial }: WebcamModel): readonly number[] {
  const [vendor = 0, product = 0] = usbId.split(':').map((part) => Number.parseInt(part, 16));
  const kind = [0xef, 0x02, 0x01];
  const names = [strings.none, strings.product, serial === null ? strings.none : strings.serial];
  return descriptor(descriptorTypes.device, ...two(0x0200), ...kind, 64, ...two(vendor), ...two(product), ...two(0x0010), ...names, 1);
}

function configuration(): readonly number[] {
  const parts = [...videoFunction(), ...audioFunction()];
  const header = [descriptorTypes.configuration, ...two(9 + parts.length), 4, 1, strings.none, 0x80, 250];
  return [...descriptor(...header), ...parts];
}

const association = (first: number, kind: number, subkind: number) =>
  descriptor(descriptorTypes.association, first, 2, kind, subkind, 0, strings.product);
const interfaceDescriptor = (number: number, alternative: number, endpointCount: number, kind: number, subkind: number) =>
  descriptor(descriptorTypes.interface, number, alternative, endpointCount, kind, subkind, 0, strings.none);

/** Camera (1) to USB (2). */
function videoFunction(): readonly number[] {
  const kind = 0x0e;
  const camera = descriptor(descriptorTypes.class, 0x02, 1, ...two(0x0201), 0, 0, ...two(0), ...two(0), ...two(0), 3, 0, 0, 0);
  const toUsb = descriptor(descriptorTypes.class, 0x03, 2, ...two(0x0101), 0, 1, 0);
  const controlLength = 13 + camera.length + toUsb.length;
  const control = descriptor(
    descriptorTypes.class,
    0x01,
    ...two(0x0100),
    ...two(controlLength),
    ...four(6_000_000),
    1,
    videoStreamingInterface,
  );
  const jpeg = descriptor(descriptorTypes.class, 0x06, 1, 1, 1, 1, 0, 0, 0, 0);
  const rates = frameIntervals.flatMap((interval) => [...four(interval)]);
  const size = [...two(picture.width), ...two(picture.height), ...four(500_000), ...four(4_000_000), ...four(picture.longestBytes)];
  const frame = descriptor(descriptorTypes.class, 0x07, 1, 0, ...size, ...four(frameIntervals[0] ?? 0), frameIntervals.length, ...rates);
  const streamLength = 14 + jpeg.length + frame.length;
  const input = [1, ...two(streamLength), inDirection | endpoints.video, 0, 2, 0, 0, 0, 1, 0];
  return [
    ...association(0, kind, 0x03),
    ...interfaceDescriptor(0, 0, 0, kind, 0x01),
    ...[...control, ...camera, ...toUsb],
    ...interfaceDescriptor(videoStreamingInterface, 0, 1, kind, 0x02),
    ...[...descriptor(descriptorTypes.class, 0x01, ...input), ...jpeg, ...frame],
    ...descriptor(descriptorTypes.endpoint, inDirection | endpoints.video, 0x02, ...two(512), 0),
  ];
}

/** Microphone (1) to USB (2), one channel of 16 bits, a packet each millisecond. */
function audioFunction(): readonly number[] {
  const kind = 0x01;
  const microphone = descriptor(descriptorTypes.class, 0x02, 1, ...two(0x0201), 0, 1, ...two(0), 0, 0);
  const toUsb = descriptor(descriptorTypes.class, 0x03, 2, ...two(0x0101), 0, 1, 0);
  const controlLength = 9 + microphone.length + toUsb.length;
  const control = descriptor(descriptorTypes.class, 0x01, ...two(0x0100), ...two(controlLength), 1, 3);
  const general = descriptor(descriptorTypes.class, 0x01, 2, 1, ...two(0x0001));
  const format = descriptor(
    descriptorTypes.class,
    0x02,
    1,
    1,
    2,
    16,
    sampleRates.length,
    ...sampleRates.flatMap((rate) => [...three(rate)]),
  );
  return [
    ...association(2, kind, 0x00),
    ...interfaceDescriptor(2, 0, 0, kind, 0x01),
    ...[...control, ...microphone, ...toUsb],
    ...interfaceDescriptor(3, 0, 0, kind, 0x02),
    ...interfaceDescriptor(3, 1, 1, kind, 0x02),
    ...[...general, ...format],
    ...descriptor(descriptorTypes.endpoint, inDirection | endpoints.audio, 0x05, ...two(audioPacketBytes), 4, 0, 0),
    ...descriptor(descriptorTypes.classEndpoint, 0x01, 0x01, 0, ...two(0)),
  ];
}
