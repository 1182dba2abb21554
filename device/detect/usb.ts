/** Which USB device a kernel device belongs to. */
import type { UsbIdentity } from '#device/detect/facts.ts';
import type { DetectionTools } from '#device/detect/tools.ts';

/** `directory`: a resolved path in /sys/devices, such as …/usb1/1-1/1-1.4/1-1.4:1.0. Null when it is not on USB. */
export async function readUsbIdentity(tools: DetectionTools, directory: string | null): Promise<UsbIdentity | null> {
  if (directory === null) return null;
  const segments = directory.split('/');
  // An interface is named after its device's port: "1-1.4:1.0" is on "1-1.4". The last one counts: hubs come before.
  const at = segments.findLastIndex((segment) => /^\d+-\d+(?:\.\d+)*$/.test(segment));
  const port = segments[at];
  if (port === undefined) return null;
  const device = segments.slice(0, at + 1).join('/');
  const read = async (name: string) => (await tools.readFile(`${device}/${name}`))?.trim() ?? '';
  const [vendor, product, serial] = await Promise.all([read('idVendor'), read('idProduct'), read('serial')]);
  if (vendor === '' || product === '') return null;
  return { id: `${vendor}:${product}`.toLowerCase(), serial: serial === '' ? null : serial, port };
}

/** As a part of an id: no character that a path, a message or a setting would mind. */
export function safeForId(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 120);
}
