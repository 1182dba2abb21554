import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeStamp, whyNotAtNode } from '#device/media-host/camera-node.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const mine = { port: '1-1.4', id: '046d:0825', serial: 'A1' };

async function machineWith(port: string, product: string, serial: string | null) {
  const root = await temporaryDirectory();
  const directories = { nodes: join(root, 'dev'), classes: join(root, 'class') };
  const device = join(root, 'devices/usb1/1-1', port);
  await Promise.all([
    mkdir(directories.nodes),
    mkdir(join(directories.classes, 'video0'), { recursive: true }),
    mkdir(join(device, `${port}:1.0`), { recursive: true }),
  ]);
  await Promise.all([
    writeFile(join(directories.nodes, 'video0'), ''),
    writeFile(join(device, 'idVendor'), '046d\n'),
    writeFile(join(device, 'idProduct'), `${product}\n`),
    ...(serial === null ? [] : [writeFile(join(device, 'serial'), `${serial}\n`)]),
    symlink(join(device, `${port}:1.0`), join(directories.classes, 'video0/device')),
  ]);
  return { directories, device };
}

test.each([
  ['the camera itself', mine.port, '0825', 'A1', mine, null],
  ['the camera itself, which says no serial number', mine.port, '0825', null, { ...mine, serial: null }, null],
  ['a camera that is not on USB', '1-1.2', '082d', null, undefined, null],
  ['its like in another socket', '1-1.2', '0825', 'A1', mine, 'another camera is at /dev/video0 (USB 046d:0825 at 1-1.2)'],
  ['another make in its socket', mine.port, '082d', 'A1', mine, 'another camera is at /dev/video0 (USB 046d:082d at 1-1.4)'],
  ['its like with another number', mine.port, '0825', 'B2', mine, 'another camera is at /dev/video0 (USB 046d:0825 at 1-1.4)'],
])('at the node is %s', async (_name, port, product, serial, meant, expected) => {
  const { directories } = await machineWith(port, product, serial);
  expect(whyNotAtNode('/dev/video0', meant, directories)).toBe(expected);
});

test('a node that is not there, or just goes, is not tried', async () => {
  const { directories, device } = await machineWith(mine.port, '0825', 'A1');
  expect(whyNotAtNode('/dev/video1', mine, directories)).toBe('/dev/video1 is not there');
  await rm(device, { recursive: true });
  expect(whyNotAtNode('/dev/video0', mine, directories)).toBe('/dev/video0 is not there any more');
});

test('a node that was away in between has another stamp', async () => {
  const { directories } = await machineWith(mine.port, '0825', 'A1');
  const stamp = () => nodeStamp('/dev/video0', directories.nodes);
  const first = stamp();
  expect(first).not.toBeNull();
  expect(stamp()).toBe(first);
  await rm(join(directories.nodes, 'video0'));
  expect(stamp()).toBeNull();
  await writeFile(join(directories.nodes, 'video0'), '');
  expect(stamp()).not.toBe(first);
});
