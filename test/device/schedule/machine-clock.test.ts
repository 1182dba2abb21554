import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askMachineClock, askSynchronised } from '#device/schedule/machine-clock.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const nowMs = Date.parse('2026-11-22T20:05:00Z');
const finished = (stdout: string) => async () => ({ kind: 'finished', exitCode: 0, stdout }) as const;
const noTool = async () => ({ kind: 'failed', reason: 'timedatectl is not installed' }) as const;

/** `rtc`: the seconds that its real-time clock shows. */
async function machine({ rtc, files = [] }: { rtc?: number; files?: readonly string[] }) {
  const root = await temporaryDirectory();
  const [sys, systemd] = [join(root, 'sys'), join(root, 'systemd')];
  if (rtc !== undefined) {
    await mkdir(join(sys, 'class', 'rtc', 'rtc0'), { recursive: true });
    await writeFile(join(sys, 'class', 'rtc', 'rtc0', 'since_epoch'), `${rtc}\n`);
  }
  for (const file of files) {
    await mkdir(join(systemd, 'timesync'), { recursive: true });
    await writeFile(join(systemd, 'timesync', file), '');
  }
  return { nowMs: () => nowMs, sys, systemd };
}

test.each([
  ['a Raspberry Pi that waits for a time server', {}, 'no\n', false],
  ['one that a time server has answered', {}, 'yes\n', true],
  ['one that a time server has answered, hours without network later', { files: ['synchronized'] }, 'no\n', true],
  ['a real-time clock by which the time was set, without network', { rtc: nowMs / 1000 + 2 }, 'no\n', true],
  ['a Raspberry Pi 5 without a battery', { rtc: 70 }, 'no\n', false],
  ['a real-time clock that is two days off', { rtc: nowMs / 1000 - 172_800 }, 'no\n', false],
])('%s', async (_name, parts, word, isRight) => {
  expect(await askMachineClock({ ...(await machine(parts)), run: finished(word) })).toBe(isRight);
});

test('who can tell nothing', async () => {
  expect(await askMachineClock({ ...(await machine({})), run: noTool })).toBeNull();
  expect(await askMachineClock({ ...(await machine({ rtc: 70 })), run: noTool })).toBeNull();
  // timesyncd without the bus over which timedatectl asks.
  expect(await askMachineClock({ ...(await machine({ files: ['other'] })), run: noTool })).toBe(false);
});

test('two clocks of 1970 prove nothing', async () => {
  const early = { ...(await machine({ rtc: 70 })), nowMs: () => 70_000, run: finished('no\n') };
  expect(await askMachineClock(early)).toBe(false);
});

test('what systemd says of the time server, where there is one', async () => {
  expect(await askSynchronised(finished('yes\n'))).toBe(true);
  expect(await askSynchronised(finished('no\n'))).toBe(false);
  expect(await askSynchronised(finished('what?\n'))).toBeNull();
  expect(await askSynchronised(noTool)).toBeNull();
});
