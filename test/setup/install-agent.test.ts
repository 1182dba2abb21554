/** The installer for boards without a Node 24, in a namespace of mounts of its own: nothing of this machine is changed. Compiler and systemd stay out. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../device/temporary-directory.ts';

const root = join(import.meta.dirname, '..', '..');
const target = '/opt/makespacelive';
const hidden = ['/opt', '/etc', '/run', '/usr/local/bin'];
const hide = hidden.map((place) => `mount -t tmpfs none ${place}`).join(' && ');
const canHide = spawnSync('unshare', ['--mount', 'sh', '-c', hide], { stdio: 'ignore' }).status === 0;
const isSeen = hidden.every((place) => !root.startsWith(`${place}/`));

describe.skipIf(!canHide || !isSeen)('the installer (needs root)', () => {
  beforeAll(() => {
    execFileSync(process.execPath, [join(root, 'setup', 'pack-agent.ts')], { stdio: 'ignore' });
  });

  async function scene() {
    const folder = await temporaryDirectory();
    const tools = join(folder, 'tools');
    await mkdir(tools);
    for (const [name, script] of Object.entries({ 'g++': 'while [ "$1" != -o ]; do shift; done; echo built > "$2"', 'pkg-config': '' })) {
      await writeFile(join(tools, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(tools, name), 0o755);
    }
    const unpacked = async (name: string) => {
      await mkdir(join(folder, name));
      execFileSync('tar', ['xzf', join(root, '.build', 'makespacelive-agent.tar.gz'), '-C', join(folder, name)]);
      return join(folder, name, 'makespacelive');
    };
    const run = (...steps: readonly string[]): string =>
      execFileSync('unshare', ['--mount', 'sh', '-ec', [hide, ...steps].join('\n')], {
        encoding: 'utf8',
        env: { PATH: [tools, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(':') },
      });
    return { unpacked, run };
  }

  const install = (from: string) => `sh ${from}/setup/install-agent.sh --without-packages > /dev/null`;
  const list = `cd ${target} && find . -type f | sort`;

  test('an update leaves nothing of the version before, and what was written into agent.env', async () => {
    const { unpacked, run } = await scene();
    const [before, after] = [await unpacked('before'), await unpacked('after')];
    await cp(join(before, 'hardware-profiles/cameras/logitech-brio.json'), join(before, 'hardware-profiles/cameras/renamed-since.json'));
    await writeFile(join(before, '.build/agent/removed-since.js'), '');
    const once = run(install(after), list);
    expect(once.split('\n')).toEqual(expect.arrayContaining(['./.build/agent/agent.js', './package.json', './setup/install-agent.sh']));
    const settings = 'AV_STREAM_URL=rtmp://relay/live';
    const twice = run(
      install(before),
      `echo ${settings} >> /etc/makespacelive/agent.env`,
      install(after),
      'cat /etc/makespacelive/agent.env',
      list,
    );
    expect(twice).toBe(`${settings}\n${once}`);
  });

  test('an update that ended half way is mended by the next', async () => {
    const { unpacked, run } = await scene();
    const from = await unpacked('package');
    const once = run(install(from), list);
    const half = `cd ${target} && mv hardware-profiles hardware-profiles.old && mkdir .build/agent.new`;
    expect(run(install(from), half, install(from), list)).toBe(once);
  });

  test('is taken away again, but for settings and recordings', async () => {
    const { unpacked, run } = await scene();
    const from = await unpacked('package');
    const rest = 'find /opt /etc /usr/local/bin ! -type d | sort';
    expect(run(install(from), `sh ${target}/setup/install-agent.sh --remove > /dev/null`, rest)).toBe('/etc/makespacelive/agent.env\n');
  });

  test('is taken away from beside a fleet server, whose program stays', async () => {
    const { unpacked, run } = await scene();
    const from = await unpacked('package');
    const unit = '/etc/systemd/system/makespacelive-server.service';
    const kept = run(
      install(from),
      `touch ${unit}`,
      `sh ${from}/setup/install-agent.sh --remove > /dev/null`,
      'find /etc/systemd -type f',
      list,
    );
    expect(kept.split('\n').filter((line) => line.startsWith('/'))).toEqual([unit]);
    expect(kept).toContain('./package.json');
  });
});
