import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseThrottled, parseWifiSignal, sampleBoard } from '#device/health/board-sampler.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

async function put(root: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

test('the hottest zone, the Wi-Fi, the firmware’s word, memory and disk', async () => {
  const root = await temporaryDirectory();
  await put(root, {
    'proc/meminfo': 'MemTotal:        1000 kB\nMemFree:  1 kB\nMemAvailable:     500 kB\n',
    'proc/net/wireless': 'Inter-| sta-|   Quality        |\n face | tus | link level noise |\n wlan0: 0000   48.  -62.  -256        0\n',
    'sys/class/thermal/thermal_zone0/temp': '51500\n',
    'sys/class/thermal/thermal_zone1/temp': '62000\n',
    'sys/class/thermal/cooling_device0/temp': '99000\n',
    'sys/devices/platform/soc/soc:firmware/get_throttled': '50005\n',
  });
  const board = await sampleBoard({ stateDirectory: root, proc: join(root, 'proc'), sys: join(root, 'sys') });
  expect(board).toMatchObject({
    temperatureC: 62,
    wifiSignalDbm: -62,
    throttled: true,
    memoryTotalBytes: 1_024_000,
    memoryAvailableBytes: 512_000,
  });
  expect(board.diskTotalBytes).toBeGreaterThan(board.diskFreeBytes);
  expect(board.agentRssBytes).toBeGreaterThan(1e6);
});

test('a board that tells nothing gives what there is', async () => {
  const nowhere = join(await temporaryDirectory(), 'nowhere');
  const board = await sampleBoard({ stateDirectory: nowhere, proc: nowhere, sys: nowhere });
  expect(board).toMatchObject({ diskTotalBytes: 0, diskFreeBytes: 0, memoryAvailableBytes: 0 });
  expect(board).not.toHaveProperty('temperatureC');
  expect(board).not.toHaveProperty('throttled');
});

test('throttled now, not once', () => {
  expect(['0', '50000', '1', '', 'x'].map(parseThrottled)).toEqual([false, false, true, undefined, undefined]);
});

test('a driver that gives quality instead of dBm tells no level', () => {
  expect(parseWifiSignal(' wlan0: 0000   48.  62.  0 \n')).toBeUndefined();
});
