import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BoardLight } from '#device/commands/board-light.ts';
import { systemClock } from '#device/media/clock.ts';
import { until } from '../../until.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

/** As the kernel shows it on a Raspberry Pi 4; plain files, which keep the last word that was written. */
async function lights(...names: string[]): Promise<string> {
  const directory = await temporaryDirectory();
  for (const name of names) {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'trigger'), 'none timer heartbeat [mmc0]\n');
    await writeFile(join(directory, name, 'brightness'), '0\n');
    await writeFile(join(directory, name, 'max_brightness'), '255\n');
  }
  return directory;
}

const content = (directory: string, name: string, file: string) => readFile(join(directory, name, file), 'utf8');

test('blinks, and the light does afterwards what it did before', async () => {
  const directory = await lights('ACT', 'PWR');
  const light = new BoardLight({ clock: systemClock, directory });
  const blinking = light.blink(1);
  await until('the light is on', 2000, async () => (await content(directory, 'ACT', 'brightness')).startsWith('255'));
  expect(await content(directory, 'ACT', 'trigger')).toMatch(/^none/);
  await until('and off', 2000, async () => /^0/.test(await content(directory, 'ACT', 'brightness')));
  expect(await blinking).toEqual({ kind: 'applied', detail: 'the light ACT blinked for 1 s' });
  expect(await content(directory, 'ACT', 'trigger')).toMatch(/^mmc0/);
  expect(await content(directory, 'PWR', 'trigger')).toContain('[mmc0]');
});

test('an agent that stops gives the light back at once', async () => {
  const directory = await lights('led0');
  const light = new BoardLight({ clock: systemClock, directory });
  const blinking = light.blink(60);
  await until('it has begun', 2000, async () => (await content(directory, 'led0', 'brightness')).startsWith('255'));
  await light.stop();
  await blinking;
  expect(await content(directory, 'led0', 'trigger')).toMatch(/^mmc0/);
});

test('a board without a light refuses in words', async () => {
  const directory = await lights('input3::capslock');
  expect(await new BoardLight({ clock: systemClock, directory }).blink(1)).toEqual({
    kind: 'refused',
    reason: `this board has no light that can be blinked (looked for ACT, led0, PWR, led1 in ${directory})`,
  });
});
