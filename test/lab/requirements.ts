/** What the laboratory needs of this machine, and how to say that it is not there. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A reason why the laboratory cannot open here: no fault of ours, so it is skipped, with this as the one line that is said. */
export class Unavailable extends Error {}

const packageList = join(import.meta.dirname, '..', '..', 'setup', 'packages', 'lab.txt');

/** Tools of the administrator are not in everybody's PATH. */
const folders: readonly string[] = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];

/** The whole path of a program; its bare name where it is not found, so that whoever starts it hears ENOENT. */
export function programPath(name: string): string {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name;
}

/** @throws Unavailable with what is missing and how to get it */
export async function checkRequirements(): Promise<void> {
  if (process.arch !== 'x64' || process.platform !== 'linux') {
    throw new Unavailable(`it is made for Linux on x64, this is ${process.platform} on ${process.arch}`);
  }
  const missing = await missingPackages(readPackageList());
  if (missing.length === 0) return;
  throw new Unavailable(`not installed: ${missing.join(' ')}. To have it: apt-get install --no-install-recommends ${missing.join(' ')}`);
}

/** One name a line; what follows a # is for the reader. */
function readPackageList(): readonly string[] {
  const lines = readFileSync(packageList, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim());
  return lines.filter((line) => line !== '');
}

async function missingPackages(names: readonly string[]): Promise<readonly string[]> {
  const format = ['--showformat', '$' + '{Package} $' + '{db:Status-Status}\\n'];
  // dpkg-query ends with 1 when it does not know one of them, and lists the others all the same.
  const { stdout } = await run('dpkg-query', ['--show', ...format, ...names]).catch(
    (cause: Error & { stdout?: string; code?: unknown }) => {
      if (cause.code === 'ENOENT') throw new Unavailable('it is made for Debian and its relatives, here is no dpkg-query');
      return { stdout: cause.stdout ?? '' };
    },
  );
  return names.filter((name) => !stdout.split('\n').includes(`${name} installed`));
}
