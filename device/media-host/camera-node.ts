/** Whether the camera that is meant is at its node: a number that it has left may be another camera's within the same second. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { DeviceUsb } from '#device/plan/pipeline-plan.ts';

/** Null: it is there, as far as can be told; else why a start is not worth trying. `directories`: others are for tests. */
export function whyNotAtNode(
  path: string,
  usb: DeviceUsb | undefined,
  directories = { nodes: '/dev', classes: '/sys/class/video4linux' },
): string | null {
  const node = basename(path);
  // GStreamer would find out as well, and leak some memory each time, which is each second for as long as the camera is away.
  if (!existsSync(`${directories.nodes}/${node}`)) return `${path} is not there`;
  if (usb === undefined) return null;
  try {
    const there = readDeviceUsb(dirname(realpathSync(`${directories.classes}/${node}/device`)));
    const isSame = there.port === usb.port && there.id === usb.id && there.serial === usb.serial;
    return isSame ? null : `another camera is at ${path} (USB ${there.id} at ${there.port})`;
  } catch {
    return `${path} is not there any more`;
  }
}

/** Another one when the camera has been away in between; null while it is. */
export function nodeStamp(path: string, nodes = '/dev'): string | null {
  const stats = statSync(`${nodes}/${basename(path)}`, { throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.ino} ${stats.birthtimeMs}`;
}

/** `directory`: of the USB device. Throws where there is none. */
export function readDeviceUsb(directory: string): DeviceUsb {
  const read = (name: string) => readFileSync(`${directory}/${name}`, 'utf8').trim();
  const serial = existsSync(`${directory}/serial`) ? read('serial') : '';
  const id = `${read('idVendor')}:${read('idProduct')}`.toLowerCase();
  return { port: basename(directory), id, serial: serial === '' ? null : serial };
}
