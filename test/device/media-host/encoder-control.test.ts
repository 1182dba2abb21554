/** What a driver makes of it is tried in the laboratory, on a camera's controls. */
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { setControl } from '#device/media-host/encoder-control.ts';

it('says in words what a descriptor is that has no controls', async () => {
  expect(await setControl(openSync('/dev/null', 'r+'), 0x9909cf, 1_000_000)).toEqual({
    kind: 'failed',
    reason: 'Inappropriate ioctl for device',
  });
});

it('says that perl is not there', async () => {
  vi.stubEnv('PATH', '/nowhere');
  onTestFinished(() => void vi.unstubAllEnvs());
  const outcome = await setControl(openSync('/dev/null', 'r+'), 0x9909cf, 1_000_000);
  expect(outcome).toEqual({ kind: 'failed', reason: 'perl cannot be started: spawn perl ENOENT' });
});

it('says so when the encoder has just closed its device', async () => {
  // A number that no open file of this process has.
  const outcome = await setControl(60_000, 0x9909cf, 1_000_000);
  expect(outcome).toEqual({ kind: 'failed', reason: expect.stringMatching(/^perl cannot be started: spawn .*EBADF/) });
});

it('hands over number and value, and the descriptor itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'encoder-control-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const told = join(folder, 'told');
  writeFileSync(join(folder, 'perl'), `#!/bin/sh\necho "$3 $4 $(readlink /proc/self/fd/0)" >&2\nexit 1\n`, { mode: 0o755 });
  writeFileSync(told, '');
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await setControl(openSync(told, 'r+'), 10_029_519, 1_250_000)).toEqual({ kind: 'failed', reason: `10029519 1250000 ${told}` });
});
