/** Finds nginx, its RTMP module and the user that its worker may become. */
import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { relayNotInstalled } from '#fleet-server/relay/relay-error.ts';
import type { WorkerUser } from '#fleet-server/relay/runtime-directory.ts';

export type NginxInstallation = { readonly program: string; readonly modulePath: string };

const systemFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin', '/usr/local/nginx/sbin'];
const moduleFolders = ['/usr/lib/nginx/modules', '/usr/share/nginx/modules', '/usr/lib64/nginx/modules', '/usr/local/nginx/modules'];
/** In the order of Debian, nginx.org and everybody else. */
const workerUserNames = ['www-data', 'nginx', 'nobody'];

export async function findNginx(searchPath: string): Promise<NginxInstallation> {
  const program = await firstThatIs(
    constants.X_OK,
    [...searchPath.split(delimiter).filter(isAbsolute), ...systemFolders].map((folder) => join(folder, 'nginx')),
  );
  if (program === undefined) throw relayNotInstalled('program nginx');
  const modulePath = await firstThatIs(
    constants.R_OK,
    moduleFolders.map((folder) => join(folder, 'ngx_rtmp_module.so')),
  );
  if (modulePath === undefined) throw relayNotInstalled('ngx_rtmp_module.so');
  return { program, modulePath };
}

export async function findWorkerUser(): Promise<WorkerUser> {
  const users = parseUsers(await readFile('/etc/passwd', 'utf8'));
  const user = workerUserNames.map((name) => users.get(name)).find((found) => found !== undefined);
  if (user === undefined) throw relayNotInstalled(`user ${workerUserNames.join(', ')}`);
  return user;
}

/** passwd(5): name, password, user id, group id, and more. */
export function parseUsers(text: string): Map<string, WorkerUser> {
  const users = new Map<string, WorkerUser>();
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name !== undefined && /^\d+$/.test(uid ?? '') && /^\d+$/.test(gid ?? ''))
      users.set(name, { name, uid: Number(uid), gid: Number(gid) });
  }
  return users;
}

async function firstThatIs(mode: number, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isThere = await access(path, mode).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
