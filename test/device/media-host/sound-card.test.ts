import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whyNotAtCard } from '#device/media-host/sound-card.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const mine = { port: '1-1.4', id: '0d8c:0014', serial: null };

async function machineWith(port: string, product: string) {
  const root = await temporaryDirectory();
  const classes = join(root, 'class');
  const device = join(root, 'devices/usb1/1-1', port);
  await Promise.all([mkdir(join(classes, 'card1'), { recursive: true }), mkdir(join(device, `${port}:1.0`), { recursive: true })]);
  await Promise.all([
    writeFile(join(device, 'idVendor'), '0d8c\n'),
    writeFile(join(device, 'idProduct'), `${product}\n`),
    symlink(join(device, `${port}:1.0`), join(classes, 'card1/device')),
  ]);
  return { classes, device };
}

test.each([
  ['the microphone itself', mine.port, '0014', null],
  ['its like in another socket', '1-1.2', '0014', 'it is not there any more: another one is sound card 1 (USB 0d8c:0014 at 1-1.2)'],
  ['another make in its socket', mine.port, '0015', 'it is not there any more: another one is sound card 1 (USB 0d8c:0015 at 1-1.4)'],
])('the card with its number is %s', async (_name, port, product, expected) => {
  const { classes } = await machineWith(port, product);
  expect(whyNotAtCard({ number: 1, usb: mine }, classes)).toBe(expected);
});

test('a card that is not there, or just goes, is not opened; one that is not on USB is', async () => {
  const { classes, device } = await machineWith(mine.port, '0014');
  expect(whyNotAtCard({ number: 2, usb: mine }, classes)).toBe('it is not there any more');
  await rm(device, { recursive: true });
  expect(whyNotAtCard({ number: 1, usb: mine }, classes)).toBe('it is not there any more');
  expect(whyNotAtCard(undefined, classes)).toBeNull();
});
