/** The units as systemd itself reads them, without running them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { standInPlaces } from '#device/state/runtime-directory.ts';
import { temporaryDirectory } from '../../device/temporary-directory.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'setup', 'systemd');
const unit = join(folder, 'makespacelive-agent.service');
const units = ['makespacelive-agent.service', 'makespacelive-server.service'];
const hasAnalyzer = spawnSync('systemd-analyze', ['--version'], { stdio: 'ignore' }).status === 0;
/** Of ten; what remains is what the unit names as missing on purpose. */
const exposureBound = 2.5;

test.skipIf(!hasAnalyzer).for(units)('systemd finds nothing wrong in %s (needs systemd-analyze)', async (name) => {
  // Somewhere else and with a program that is there: what is not installed on this machine is not the unit's fault.
  const copy = join(await temporaryDirectory(), name);
  writeFileSync(copy, readFileSync(join(folder, name), 'utf8').replace(/^Documentation=file:.*$/m, 'Documentation=file:/dev/null'));
  const { stderr, status } = spawnSync('systemd-analyze', ['verify', copy], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test.skipIf(!hasAnalyzer).for(units)('%s may do little (needs systemd-analyze)', (name) => {
  const text = execFileSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', join(folder, name)], { encoding: 'utf8' });
  const exposure = Number(/Overall exposure level for \S+: (\d+\.\d)/.exec(text)?.[1]);
  expect(exposure).toBeLessThanOrEqual(exposureBound);
});

test('a dead fleet server leaves its relay alone, and systemd hears a child', () => {
  const text = readFileSync(join(folder, 'makespacelive-server.service'), 'utf8');
  for (const line of ['Type=notify', 'NotifyAccess=all', 'KillMode=process', 'Restart=always', 'WatchdogSec=60'])
    expect(text.split('\n')).toContain(line);
});

test('a dead agent leaves its media host alone, and systemd hears a child', () => {
  const text = readFileSync(unit, 'utf8');
  for (const line of ['Type=notify', 'NotifyAccess=all', 'KillMode=process', 'Restart=always', 'WatchdogSec=60'])
    expect(text.split('\n')).toContain(line);
});

test('the agent has a place in memory, where it looks for one, which outlives it as its media host does', () => {
  const lines = readFileSync(unit, 'utf8').split('\n');
  const name = lines.find((line) => line.startsWith('RuntimeDirectory='))?.split('=')[1];
  expect(standInPlaces()[0]).toBe(`/run/${name}`);
  for (const line of ['RuntimeDirectoryMode=0700', 'RuntimeDirectoryPreserve=restart']) expect(lines).toContain(line);
});

const hasSysusers = spawnSync('systemd-sysusers', ['--version'], { stdio: 'ignore' }).status === 0;

test.skipIf(!hasSysusers)('the agent’s own user, in the groups of camera and sound (needs systemd-sysusers)', async () => {
  const root = await temporaryDirectory();
  mkdirSync(join(root, 'usr/lib/sysusers.d'), { recursive: true });
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/group'), 'audio:x:29:\nvideo:x:44:\n');
  cpSync(join(folder, 'makespacelive.sysusers.conf'), join(root, 'usr/lib/sysusers.d/makespacelive.conf'));
  execFileSync('systemd-sysusers', [`--root=${root}`], { stdio: 'ignore' });
  expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^makespacelive:x:\d+:\d+:.*:\/var\/lib\/makespacelive:.*nologin$/m);
  expect(readFileSync(join(root, 'etc/group'), 'utf8')).toMatch(/^video:x:44:makespacelive$/m);
});

test('polkit lets the agent’s user restart the machine, nobody else, and nothing more', () => {
  const rules: ((action: { id: string }, subject: { user: string }) => unknown)[] = [];
  const polkit = { Result: { YES: 'yes' }, addRule: (rule: (typeof rules)[number]) => rules.push(rule) };
  runInNewContext(readFileSync(join(folder, 'makespacelive-reboot.rules'), 'utf8'), { polkit });
  const answer = (id: string, user: string) => rules.map((rule) => rule({ id }, { user }));
  expect(answer('org.freedesktop.login1.reboot', 'makespacelive')).toEqual(['yes']);
  expect(answer('org.freedesktop.login1.reboot', 'pi')).toEqual([undefined]);
  expect(answer('org.freedesktop.login1.power-off', 'makespacelive')).toEqual([undefined]);
});

test('udev gives the lights that are blinked, and their two files alone, to the agent’s group', () => {
  const rule = readFileSync(join(folder, 'makespacelive-leds.rules'), 'utf8');
  expect(rule).toContain('KERNEL=="ACT|PWR|led0|led1"');
  const files = [...rule.matchAll(/\/sys\$devpath\/(\w+)/g)].map(([, file]) => file);
  expect(new Set(files)).toEqual(new Set(['trigger', 'brightness']));
});
