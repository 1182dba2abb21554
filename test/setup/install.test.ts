/** What a person sees whose machine lacks something that cannot be had. The tools of the machine are replaced by the PATH alone. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const nobody = 65_534;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'makespacelive-install-'));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, script: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** Runs the installation with only our own programs on the PATH, as somebody who is not root where that can be arranged. */
function install(): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  symlinkSync(process.execPath, join(folder, 'bin', 'node'));
  // The code is copied out of the checkout, whose folders another user may not enter.
  for (const list of ['device', 'relay', 'build', 'test']) {
    mkdirSync(join(folder, 'setup', 'packages'), { recursive: true });
    spawnSync('cp', [join(root, 'setup', 'packages', `${list}.txt`), join(folder, 'setup', 'packages')]);
  }
  spawnSync('cp', [join(root, 'package.json'), join(root, 'package-lock.json'), folder]);
  spawnSync('cp', [join(root, 'setup', 'install.mjs'), join(root, 'setup', 'enter.mjs'), join(folder, 'setup')]);
  spawnSync('cp', [process.execPath, join(folder, 'node-of-all')]);
  const isRoot = process.getuid?.() === 0;
  const answer = spawnSync(join(folder, 'node-of-all'), [join(folder, 'setup', 'enter.mjs'), 'start', 'setup/start.ts'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: join(folder, 'bin'), HOME: folder },
    ...(isRoot ? { uid: nobody, gid: nobody } : {}),
    timeout: 20_000,
  });
  if (answer.error !== undefined) throw answer.error;
  return answer;
}

describe('one clear line, what to do, and a non-zero exit', () => {
  test('no permission to install', () => {
    program('dpkg-query', 'exit 1');
    program('sudo', 'echo "sudo: a password is required" >&2; exit 1');
    const { status, stdout, stderr } = install();
    expect(stdout).toMatch(/^Installing \d+ Debian packages: .*gstreamer1\.0-plugins-good/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/no permission to install.*apt-get install --no-install-recommends .*nginx/);
    expect(status).toBe(1);
  });

  test('not a Debian machine', () => {
    const { status, stderr } = install();
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/expected a Debian or Raspberry Pi OS machine.*gstreamer1\.0/);
    expect(status).toBe(1);
  });

  test('no disk for the npm packages', () => {
    program('dpkg-query', 'shift 3; for name in "$@"; do echo "$name installed"; done');
    program('df', 'echo Avail; echo 1000000');
    const { status, stderr } = install();
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/expected 1\.5 GB of free disk for the npm packages, found 0\.0 GB: make room/);
    expect(status).toBe(1);
  });

  test('apt-get that fails', () => {
    program('dpkg-query', 'exit 1');
    program('sudo', 'shift; exec "$@"');
    program('true', 'exit 0');
    program('apt-get', 'echo "E: Could not resolve host" >&2; exit 100');
    const { status, stderr } = install();
    expect(stderr).toMatch(/apt-get update ended with exit code 100\. Check the network/);
    expect(status).toBe(1);
  });
});
