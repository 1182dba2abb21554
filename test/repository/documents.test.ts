/** The documents tell the truth today. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ladder, lossesOfWornHost } from '#device/health/escalation.ts';
import { capturesOfWornHost } from '#device/media/media-host-supervisor.ts';
import { restartsAnHour } from '#device/media-host/restart-allowance.ts';
import { loadProfiles } from '#device/profile/load.ts';
import { protocolDocument } from '#protocol/document.ts';
import { withHardwareTable } from '#setup/hardware-table.ts';
import { filesIn, read, root } from './source-files.ts';

test('docs/protocol.md is what the schemas say (npm run documents writes it)', () => {
  expect(read('docs/protocol.md')).toBe(protocolDocument());
});

test('the hardware in README.md is what the profiles say (npm run documents writes it)', async () => {
  expect(read('README.md')).toBe(withHardwareTable(read('README.md'), await loadProfiles()));
});

test('docs/operations.md has the figures of what a device does by itself as the code has them', () => {
  const text = read('docs/operations.md').split('# What a device does by itself')[1]?.split('\n# ')[0] ?? '';
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  const rowOf = (words: string) => rows.find((row) => row.includes(words)) ?? '';
  const events = { 'media-host': 'media-host-replaced', agent: 'agent-restarted', reboot: 'board-restarted' };
  for (const { step, afterMs, timesAnHour, timesInARow } of ladder) {
    expect(rowOf(events[step])).toMatch(new RegExp(`\\| after (another )?${afterMs / 1000} s \\| ${timesAnHour} times? an hour`));
    expect(rowOf(events[step]).includes(', twice in a row')).toBe(timesInARow === 2);
  }
  expect(rowOf('the pipeline fails')).toContain(`| ${restartsAnHour} times an hour, then once a minute |`);
  expect(rowOf('the camera was lost')).toContain(`lost ${lossesOfWornHost} times |`);
  expect(rowOf('settings have asked for')).toContain(`for ${capturesOfWornHost} different`);
});

test('links between our documents lead somewhere', () => {
  const broken = filesIn()
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      [...read(file).matchAll(/\]\(([^)\s]+)\)/g)]
        .map((match) => (match[1] ?? '').replace(/#.*/, ''))
        .filter((target) => target !== '' && !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(file), target)))
        .map((target) => `${file} -> ${target}`),
    );
  expect(broken).toEqual([]);
});

test('folders that ARCHITECTURE.md names are there', () => {
  const named = [...read('ARCHITECTURE.md').matchAll(/`([a-z][a-z0-9/-]*\/)`/g)].map((match) => match[1] ?? '');
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((folder) => !existsSync(join(root, folder)))).toEqual([]);
});

test('every dependency is justified in CONTRIBUTING.md', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const text = read('CONTRIBUTING.md');
  const silent = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !text.includes(`\`${name}\``));
  expect(silent).toEqual([]);
});

test('one list of Debian packages is read by all', () => {
  for (const list of ['device', 'build']) expect(read('Dockerfile.template')).toContain(`${list}.txt`);
  expect(read('setup/install.mjs')).toContain("'packages'");
});

test('the installer for boards without a Node 24 installs what the document says, from what is packed', () => {
  const installer = read('setup/install-agent.sh');
  const wanted = [...read('docs/operations.md').matchAll(/^install -D -m \d+ (\S+) (\/etc\/\S+)/gm)];
  expect(wanted).toHaveLength(5);
  for (const [, from = '', to] of wanted)
    expect(installer).toMatch(new RegExp(`${from === '/dev/null' ? from : `\\$target/${from}"`} ${to}\\b`));
  const packed = read('setup/pack-agent.ts');
  for (const part of ['setup/install-agent.sh', 'setup/packages/device.txt', 'setup/packages/build.txt', 'setup/systemd']) {
    expect(packed).toContain(`'${part}'`);
  }
});

test('makespacelive is the clone’s program in the package, and the bundle’s in the container', () => {
  const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> };
  expect(bin).toEqual({ makespacelive: 'setup/makespacelive.mjs' });
  expect(read('setup/bundle-agent.ts')).toContain("agent: 'device/main.ts'");
  expect(read('device/main.ts')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(read('Dockerfile.template')).toContain('ln -s /app/setup/container/makespacelive.sh /usr/local/bin/makespacelive');
});
