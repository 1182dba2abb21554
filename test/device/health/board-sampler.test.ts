import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { CommandOutcome } from '#device/detect/tools.ts';
import { BoardSampler } from '#device/health/board-sampler.ts';
import { manualClock } from '../manual-clock.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

async function put(root: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

function samplerOf(root: string, tools: Record<string, string> = {}) {
  const clock = manualClock();
  const asked: string[] = [];
  const run = async (command: string): Promise<CommandOutcome> => {
    asked.push(command);
    const stdout = tools[command];
    return stdout === undefined ? { kind: 'failed', reason: 'not installed' } : { kind: 'finished', exitCode: 0, stdout };
  };
  const sampler = new BoardSampler({
    stateDirectory: root,
    stateProblem: () => null,
    clock,
    proc: join(root, 'proc'),
    sys: join(root, 'sys'),
    run,
  });
  return { clock, sampler, asked };
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
    'sys/class/mmc_host/mmc0/mmc0:0001/life_time': '0x01 0x03\n',
  });
  const { sampler } = samplerOf(root, { iw: 'Connected to 00:00\n\ttx bitrate: 72.2 MBit/s MCS 7\n' });
  const board = await sampler.sample();
  expect(board).toMatchObject({
    temperatureC: 62,
    wifiSignalDbm: -62,
    wifiRateMbps: 72.2,
    throttled: true,
    powerNow: ['under-voltage', 'throttled'],
    powerSinceBoot: ['under-voltage', 'throttled'],
    cardWearPercent: 30,
    memoryTotalBytes: 1_024_000,
    memoryAvailableBytes: 512_000,
  });
  expect(board).not.toHaveProperty('diskProblem');
  expect(board.diskTotalBytes).toBeGreaterThan(board.diskFreeBytes);
  expect(board.agentRssBytes).toBeGreaterThan(1e6);
});

test('a board that tells nothing gives what there is', async () => {
  const nowhere = join(await temporaryDirectory(), 'nowhere');
  const board = await samplerOf(nowhere).sampler.sample();
  expect(board).toMatchObject({ diskTotalBytes: 0, diskFreeBytes: 0, memoryAvailableBytes: 0, diskProblem: 'ENOENT' });
  for (const absent of ['temperatureC', 'throttled', 'wifiSignalDbm', 'cardWearPercent']) expect(board).not.toHaveProperty(absent);
});

test('of two radios the one with the default route', async () => {
  const root = await temporaryDirectory();
  await put(root, {
    'proc/net/wireless': ' wlan0: 0000   20.  -85.  -256        0\n wlan1: 0000   60.  -50.  -256        0\n',
    'proc/net/route': 'wlan1\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n',
  });
  expect(await samplerOf(root).sampler.sample()).toMatchObject({ wifiSignalDbm: -50 });
});

test('programs are asked once a minute, files each time', async () => {
  const root = await temporaryDirectory();
  await put(root, { 'proc/net/wireless': ' wlan0: 0000   48.  -62.  -256        0\n' });
  const { sampler, clock, asked } = samplerOf(root, { vcgencmd: 'throttled=0x50000\n' });
  expect(await sampler.sample()).toMatchObject({ powerNow: [], powerSinceBoot: ['under-voltage', 'throttled'] });
  await put(root, { 'proc/net/wireless': ' wlan0: 0000   48.  -70.  -256        0\n' });
  await clock.advance(59_000);
  expect(await sampler.sample()).toMatchObject({ wifiSignalDbm: -70, powerSinceBoot: ['under-voltage', 'throttled'] });
  expect(asked.toSorted()).toEqual(['iw', 'vcgencmd']);
  await clock.advance(1000);
  await sampler.sample();
  expect(asked).toHaveLength(4);
});
