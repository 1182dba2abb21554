import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hardwareFingerprint } from '#device/health/hardware-fingerprint.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

/** Plugs cameras of one model into sockets, as /sys and /dev then look; the sound cards are those of /proc. */
async function fingerprintOf(sockets: readonly string[], soundCards = ''): Promise<string> {
  const root = await temporaryDirectory();
  const roots = { sys: join(root, 'sys'), proc: join(root, 'proc'), dev: join(root, 'dev') };
  await Promise.all([
    mkdir(join(roots.sys, 'class/video4linux'), { recursive: true }),
    mkdir(join(roots.proc, 'asound'), { recursive: true }),
    mkdir(roots.dev),
  ]);
  await writeFile(join(roots.proc, 'asound/cards'), soundCards);
  for (const [number, socket] of sockets.entries()) {
    const node = join(roots.sys, `class/video4linux/video${number}`);
    const device = join(roots.sys, 'devices', socket);
    await Promise.all([mkdir(node), mkdir(device, { recursive: true })]);
    await writeFile(join(node, 'name'), 'C270 HD WEBCAM\n');
    await symlink(device, join(node, 'device'));
    await writeFile(join(roots.dev, `video${number}`), '');
  }
  const fingerprint = await hardwareFingerprint(roots);
  await rm(root, { recursive: true });
  return fingerprint.replaceAll(root, '');
}

test('the same hardware gives the same text; another camera, socket or sound card gives another', async () => {
  const before = await fingerprintOf(['1-1.1', '1-1.2']);
  expect(await fingerprintOf(['1-1.1', '1-1.2'])).toBe(before);
  const others = await Promise.all([
    fingerprintOf(['1-1.1']),
    fingerprintOf(['1-1.2', '1-1.1']),
    fingerprintOf(['1-1.1', '1-1.3']),
    fingerprintOf(['1-1.1', '1-1.2'], ' 0 [C270 ]: USB-Audio - C270 HD WEBCAM\n'),
    fingerprintOf([]),
  ]);
  expect(new Set([before, ...others]).size).toBe(6);
});

test('a node that becomes usable changes it; a machine without any gives a text as well', async () => {
  const root = await temporaryDirectory();
  const roots = { sys: root, proc: root, dev: join(root, 'dev') };
  await mkdir(join(root, 'class/video4linux/video0'), { recursive: true });
  const missing = await hardwareFingerprint(roots);
  await mkdir(roots.dev);
  await writeFile(join(roots.dev, 'video0'), '');
  await chmod(join(roots.dev, 'video0'), 0o600);
  expect(await hardwareFingerprint(roots)).not.toBe(missing);
  expect(typeof (await hardwareFingerprint({ sys: '/nowhere', proc: '/nowhere', dev: '/nowhere' }))).toBe('string');
});
