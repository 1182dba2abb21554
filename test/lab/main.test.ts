/** What a person sees on a machine on which the laboratory cannot open. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const program = join(import.meta.dirname, 'main.ts');

/** A PATH that holds one program, a package tool that knows just these packages. */
function laboratory(
  installed: readonly string[],
  ...words: readonly string[]
): { readonly status: number | null; readonly output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'makespacelive-lab-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lines = installed.map((name) => `echo "${name} installed"`);
  writeFileSync(join(folder, 'dpkg-query'), ['#!/bin/sh', ...lines, 'exit 1', ''].join('\n'));
  chmodSync(join(folder, 'dpkg-query'), 0o755);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { encoding: 'utf8', env: { PATH: folder } });
  return { status, output: stdout + stderr };
}

test.skipIf(process.arch !== 'x64')('without qemu it is skipped: one line, with what to install, and no failure', () => {
  const { status, output } = laboratory(['busybox-static', 'cpio', 'kmod', 'iw']);
  expect(status).toBe(0);
  expect(output).toBe(
    'The laboratory is skipped: not installed: qemu-system-x86 wpasupplicant. ' +
      'To have it: apt-get install --no-install-recommends qemu-system-x86 wpasupplicant.\n',
  );
});

test('a scenario that does not exist is no success', () => {
  const { status, output } = laboratory([], 'detection', 'earthquake');
  expect(status).toBe(2);
  expect(output).toMatch(/^expected scenarios out of detection, .*, came earthquake\n$/);
});
