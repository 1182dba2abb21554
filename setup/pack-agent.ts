/**
 * The agent as one archive for machines on which nothing of this project can be built but its native binding: bundle, profiles, the
 * binding's sources, and setup/install-agent.sh, which installs it there.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');
const archive = join('.build', 'makespacelive-agent.tar.gz');
const parts = [
  'package.json',
  'LICENSE',
  '.build/agent',
  'hardware-profiles',
  'setup/install-agent.sh',
  'setup/packages/device.txt',
  'setup/packages/build.txt',
  'setup/systemd',
  'docs/operations.md',
  'node_modules/gstreamer-superficial',
  'node_modules/nan',
];
/** What this machine has built of it fits this machine alone. */
const leftOut = ['node_modules/gstreamer-superficial/build', 'node_modules/gstreamer-superficial/examples'];

// One folder of a name of its own, and nobody's in particular: two archives of the same sources are the same.
const words = ['--create', '--gzip', `--file=${archive}`, '--sort=name', '--owner=0', '--group=0', '--mtime=2020-01-01'];
const inside = ['--transform=s,^,makespacelive/,', ...leftOut.map((path) => `--exclude=${path}`)];
await promisify(execFile)('tar', [...words, ...inside, ...parts], { cwd: root });
process.stdout.write(`${archive}\n`);
