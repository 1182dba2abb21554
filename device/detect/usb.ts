/** Which USB device a kernel device belongs to, and what it is called for good. */
import type { UsbIdentity } from '#device/detect/facts.ts';
import type { DetectionTools } from '#device/detect/tools.ts';

/** `directory`: a resolved path in /sys/devices, such as …/0000:01:00.0/usb1/1-1/1-1.4/1-1.4:1.0. Null when it is not on USB. */
export async function readUsbIdentity(tools: DetectionTools, directory: string | null): Promise<UsbIdentity | null> {
  const found = usbDeviceOf(directory);
  if (found === null) return null;
  const { device, port } = found;
  const read = async (name: string) => (await tools.readFile(`${device}/${name}`))?.trim() ?? '';
  const [vendor, product, serial, speed] = await Promise.all([read('idVendor'), read('idProduct'), read('serial'), read('speed')]);
  if (vendor === '' || product === '') return null;
  return {
    id: `${vendor}:${product}`.toLowerCase(),
    serial: serial === '' ? null : serial,
    port,
    place: placeOf(device.split('/'), port),
    speedMbps: /^\d+(?:\.\d+)?$/.test(speed) ? Number(speed) : null,
  };
}

/**
 * Whether that USB device is a camera as well, though it may not be usable yet: the kernel names its interfaces before it makes a
 * node, and udev gives the node to our group some time after.
 */
export async function hasCamera(tools: DetectionTools, directory: string | null): Promise<boolean> {
  const found = usbDeviceOf(directory);
  if (found === null) return false;
  const { device, port } = found;
  const interfaces = (await tools.readDirectory(device)).filter((name) => name.startsWith(`${port}:`));
  const classes = await Promise.all(interfaces.map((name) => tools.readFile(`${device}/${name}/bInterfaceClass`)));
  return classes.some((text) => text?.trim() === videoClass);
}

/** USB's number for the class "video", as sysfs writes it. */
const videoClass = '0e';

function usbDeviceOf(directory: string | null): { readonly device: string; readonly port: string } | null {
  const segments = directory?.split('/') ?? [];
  // An interface is named after its device's port: "1-1.4:1.0" is on "1-1.4". The last one counts: hubs come before.
  const at = segments.findLastIndex((segment) => portPattern.test(segment));
  const port = segments[at];
  return port === undefined ? null : { device: segments.slice(0, at + 1).join('/'), port };
}

const portPattern = /^\d+-\d+(?:\.\d+)*$/;

/**
 * The controller is the directory above "usb1"; its two buses (USB 2 and 3) lead to the same sockets. Where they are numbered alike a
 * camera has one name on both; where they are not, one number may be two sockets, and the names are told apart by the speed.
 */
function placeOf(segments: readonly string[], port: string): string {
  const bus = segments.findIndex((segment) => /^usb\d+$/.test(segment));
  const controller = bus > 0 ? segments[bus - 1] : undefined;
  const ports = port.slice(port.indexOf('-') + 1);
  return controller === undefined ? port : `${controller}-${ports}`;
}

const longestSerial = 40;

/**
 * Model, serial number and socket. The socket is always part of it: cheap cameras of one model have the same serial number or
 * none, and that only shows when the second is plugged in; the first may not change its name then.
 */
export function usbName(usb: UsbIdentity): string {
  const serial = isTelling(usb.serial) ? [safeForId(usb.serial.slice(0, longestSerial))] : [];
  return ['usb', usb.id.replace(':', '-'), ...serial, safeForId(usb.place)].join('-');
}

/** How the name begins in whichever socket the device is; null where nothing tells it from its like. */
export function usbNameAnywhere(usb: UsbIdentity): string | null {
  return isTelling(usb.serial) ? usbName({ ...usb, place: '' }) : null;
}

/** What a name has behind the socket: which of the device's cameras or inputs it is. */
export function partOf(id: string, usb: UsbIdentity): string {
  return id.slice(usbName(usb).length);
}

/** Names as above that several devices in different sockets have: their serial number is no proof. */
export function namesOfSeveral(devices: readonly UsbIdentity[]): readonly string[] {
  const places = new Map<string, Set<string>>();
  for (const usb of devices) {
    const name = usbNameAnywhere(usb);
    if (name !== null) places.set(name, (places.get(name) ?? new Set()).add(usb.place));
  }
  return [...places].flatMap(([name, { size }]) => (size > 1 ? [name] : []));
}

/**
 * What has been plugged into another socket since it was chosen by its name, if its serial number tells that it is the one.
 * `sharedNames`: names as above for which it does not.
 */
export function findMoved<T extends { readonly id: string; readonly usb: UsbIdentity | null }>(
  wanted: string,
  there: readonly T[],
  sharedNames: readonly string[] = [],
): T | undefined {
  const candidates = there.filter(({ id, usb }) => {
    const anywhere = usb === null ? null : usbNameAnywhere(usb);
    if (usb === null || anywhere === null || sharedNames.includes(anywhere) || !wanted.startsWith(anywhere)) return false;
    return socketAndPart.exec(wanted.slice(anywhere.length))?.[1] === partOf(id, usb);
  });
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** What a name has behind model and serial number: the controller, its ports, and the part as above. */
const socketAndPart = /^.+?-\d+(?:\.\d+)*((?:-.*)?)$/;

/** Serial numbers such as "SN0001", "0000", "12345678" and "200901010001" stand in every device of a make. */
function isTelling(serial: string | null): serial is string {
  if (serial === null || serial.length < 5) return false;
  return !/^(?:sn)?0*\d{0,2}$|^(.)\1*$|^0?123456789?|^20\d{10}$/i.test(serial);
}

/** `devices`: the USB 2 bus before the USB 3 bus where one number is two sockets. Or two drivers give the same names all the same. */
export function withDistinctIds<T extends { readonly id: string }>(devices: readonly T[]): readonly T[] {
  return devices.map((device, index) => {
    const before = devices.slice(0, index).filter(({ id }) => id === device.id).length;
    return before === 0 ? device : { ...device, id: `${device.id}-${before + 1}` };
  });
}

/** As a part of an id: no character that a path, a message or a setting would mind. */
export function safeForId(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 120);
}
