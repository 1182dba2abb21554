import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseThrottled, readPower } from '#device/health/power.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test.each([
  ['0', [], []],
  ['0x0', [], []],
  ['throttled=0x50000\n', [], ['under-voltage', 'throttled']],
  ['50005\n', ['under-voltage', 'throttled'], ['under-voltage', 'throttled']],
  ['2', ['frequency-capped'], ['frequency-capped']],
  ['80008', ['temperature-limit'], ['temperature-limit']],
  ['f0000', [], ['under-voltage', 'frequency-capped', 'throttled', 'temperature-limit']],
])('%s in words', (text, now, sinceBoot) => {
  expect(parseThrottled(text)).toEqual({ now, sinceBoot });
});

test.each(['', 'x', 'error=1 error_msg="Command not registered"', '0x123456789'])('no such word: %s', (text) => {
  expect(parseThrottled(text)).toBeNull();
});

async function sysWith(path: string, content: string): Promise<string> {
  const root = await temporaryDirectory();
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
  return root;
}

test('the firmware’s word is found where each board has it', async () => {
  for (const path of ['soc/soc:firmware', 'soc@107c000000/soc@107c000000:firmware']) {
    const sys = await sysWith(`devices/platform/${path}/get_throttled`, '1\n');
    expect(await readPower(sys, null)).toEqual({ now: ['under-voltage'], sinceBoot: ['under-voltage'] });
  }
});

test('the kernel’s alarm of the supply, where the firmware says nothing', async () => {
  const sys = await sysWith('class/hwmon/hwmon1/name', 'rpi_volt\n');
  await writeFile(join(sys, 'class/hwmon/hwmon1/in0_lcrit_alarm'), '1\n');
  expect(await readPower(sys, null)).toEqual({ now: ['under-voltage'], sinceBoot: ['under-voltage'] });
  await writeFile(join(sys, 'class/hwmon/hwmon1/in0_lcrit_alarm'), '0\n');
  expect(await readPower(sys, null)).toEqual({ now: [], sinceBoot: [] });
});

test('another board tells nothing, and neither does a program that is not there', async () => {
  const sys = await sysWith('class/hwmon/hwmon0/name', 'coretemp\n');
  expect(await readPower(sys, async () => ({ kind: 'failed', reason: 'vcgencmd is not installed' }))).toBeNull();
  expect(await readPower(sys, async () => ({ kind: 'finished', exitCode: 255, stdout: '' }))).toBeNull();
});
